// The front end of examples/front-end/, as residents see it: at home on the program, and on somebody else's server.

import assert from 'node:assert/strict';
import {before, test} from 'node:test';
import {
  HOME,
  LOOS,
  act,
  answered,
  api,
  assertQuiet,
  barriers,
  browser,
  elsewhere,
  french,
  get,
  picture,
  strangers,
  tokenOf,
  visitor,
} from './support.mjs';

const DEMO = `${HOME}/demo/`;
let planters;

/** Eight planters with a third party, signed by both sides; half of the watering is done. */
before(async () => {
  const [agent, mayor] = await Promise.all(['agent', 'maire'].map((name) => tokenOf(`${name}@demo.example`)));
  const inKind = (quantity, unit, unit_value_cents) => ({quantity, unit, unit_value_cents, method: 'replacement_cost'});
  planters = await act(`/v1/communes/${LOOS}/initiatives`, agent, {
    title: 'Huit jardinières rue Faidherbe',
    theme: 'living_environment',
    description: 'La commune fournit <b>huit</b> jardinières, les voisins les plantent et les arrosent.',
    place: 'Rue Faidherbe',
    location: {latitude: 50.4601, longitude: 2.7859},
    holder: {kind: 'collective', name: 'Les voisins de la rue Faidherbe'},
    on_behalf: {channel: 'paper', paper_reference: 'Registre 2026-117'},
    submit: true,
    commitments: [
      {
        side: 'commune',
        kind: 'material',
        route: 'in_kind',
        title: 'Huit jardinières',
        due_on: '2027-05-15',
        valuation: inKind('8', 'pièce', 4500),
      },
      {
        side: 'holder',
        kind: 'labour',
        title: 'Plantation',
        due_on: '2027-05-15',
        valuation: inKind('40', 'heure', 1250),
      },
      {
        side: 'holder',
        kind: 'labour',
        title: 'Arrosage',
        upkeep: {starts_on: '2027-05-15', ends_on: '2029-05-14'},
        valuation: inKind('60', 'heure', 1200),
      },
      {
        side: 'third_party',
        third_party_name: 'Pépinière de Gohelle',
        kind: 'material',
        title: 'Plants de vivaces',
        due_on: '2027-05-15',
        valuation: inKind('96', 'plant', 150),
      },
    ],
  });
  const path = `/v1/initiatives/${planters.id}`;
  const {convention} = await act(`${path}/quick_accept`, mayor, {
    opinion: 'Sans difficulté.',
    reason: 'Embellit la rue.',
    convention: {
      object: 'Huit jardinières',
      starts_on: '2026-01-01',
      ends_on: '2029-12-31',
      sign: true,
      holder_signatory: {person: {full_name: 'Jeanne Martin', adult: true}, capacity: 'Pour les voisins'},
    },
  });
  const today = new Date().toLocaleDateString('sv', {timeZone: 'Europe/Paris'});
  await act(`/v1/conventions/${convention.id}/record_signature`, agent, {
    party: 'holder',
    content_sha256: convention.content_sha256,
    signed_on: today,
    paper_reference: 'Registre 2026-118',
  });
});

/** Waits for a screen, and holds what it says about its calls against what the browser asked for. */
async function arrive({page, seen}, screen) {
  const footer = await page.waitForFunction((wanted) => {
    const {address, screen, calls, pages} = document.querySelector('footer').dataset;
    return screen === wanted && address === location.hash && {calls, pages};
  }, screen);
  const {calls, pages} = await footer.jsonValue();
  const asked = seen.requests.splice(0).filter((url) => url.includes('/v1/'));
  assert.equal(Number(calls) + Number(pages), asked.length, asked.join('\n'));
  assert.ok(Number(calls) <= 3, `${screen} needs ${calls} calls`);
  return Number(calls);
}

const titles = (page) => page.locator('ol.initiatives h2').allTextContents();
const list = (parameters = '') => get(`/v1/initiatives?commune=${LOOS}&limit=100${parameters}`);

test('the list, its filters and its map', async (t) => {
  const chromium = await browser(t);
  const visit = await (await visitor(chromium)).page();
  const {page, seen} = visit;
  const label = await french();
  const all = await list();
  assert.equal(all.has_more, false);

  await page.goto(DEMO);
  assert.equal(await arrive(visit, 'list'), 3);
  assert.equal(await page.title(), 'Initiatives de Loos-en-Gohelle · Fifty-Fifty');
  assert.deepEqual(
    await titles(page),
    all.data.slice(0, 10).map(({title}) => title),
  );
  const states = await page.locator('ol.initiatives .state').allTextContents();
  assert.deepEqual(
    states,
    all.data.slice(0, 10).map(({state}) => label('initiative_states', state)),
  );
  await picture(page, 'list');
  assert.deepEqual(await barriers(page), []);

  // The rest comes by cursor, and the keyboard goes on where it begins.
  await page.getByRole('button', {name: 'Voir la suite'}).press('Enter');
  await page.locator('footer[data-pages="1"]').waitFor();
  assert.deepEqual(
    await titles(page),
    all.data.map(({title}) => title),
  );
  assert.equal(await page.evaluate(() => document.activeElement.textContent), all.data[10].title);
  assert.equal(await page.getByRole('button', {name: 'Voir la suite'}).isVisible(), false);
  await page.getByRole('status').getByText(`${all.data.length} initiatives`).waitFor();

  // A point for each that has a place, in the right direction from the others, and none upon another.
  const located = all.data.filter(({location}) => location);
  assert.ok(located.length < all.data.length, 'one has no place');
  const points = await page
    .locator('svg .point')
    .evaluateAll((links) =>
      links.map((link) => ({
        name: link.getAttribute('aria-label'),
        x: link.querySelector('circle').cx.baseVal.value,
        y: link.querySelector('circle').cy.baseVal.value,
      })),
    );
  assert.deepEqual(
    points.map(({name}) => name.replace(/^\d+\. /, '')),
    located.map(({title}) => title),
  );
  for (const [index, point] of points.entries()) {
    for (const other of points.slice(index + 1)) {
      assert.ok(Math.hypot(point.x - other.x, point.y - other.y) > 26, `${point.name} covers ${other.name}`);
    }
  }
  const at = (title) => points[located.findIndex((initiative) => initiative.title.startsWith(title))];
  assert.ok(at('Jardin partagé').x < at('Skate-park').x && at('Jardin partagé').y < at('Haies').y);

  // Filters, by their labels.
  seen.requests.length = 0;
  await page.getByLabel('État').selectOption({label: 'En cours de réalisation'});
  await page.getByRole('button', {name: 'Filtrer'}).click();
  await page.waitForURL(/state=in_progress/);
  assert.equal(await arrive(visit, 'list'), 2);
  const running = (await list('&state=in_progress')).data.map(({title}) => title);
  assert.ok(running.length > 1 && running.length < all.data.length);
  assert.deepEqual(await titles(page), running);

  await page.getByLabel('Thème').selectOption({label: 'Sport'});
  await page.getByRole('button', {name: 'Filtrer'}).click();
  await page.waitForURL(/theme=sport/);
  await arrive(visit, 'list');
  assert.deepEqual(await titles(page), ['Skate-park construit par les 11-14 ans']);

  await page.goto(`${DEMO}#/`);
  await arrive(visit, 'list');
  await page.getByLabel('Mots').fill('jardiniere');
  await page.getByLabel('Mots').press('Enter');
  await page.waitForURL(/q=jardiniere/);
  await arrive(visit, 'list');
  assert.deepEqual(
    (await titles(page)).sort(),
    [planters.title, 'Huit jardinières rue Hoche'].sort(),
    'accents and plurals do not matter',
  );

  await page.getByLabel('Mots').fill('xylophone');
  await page.getByRole('button', {name: 'Filtrer'}).click();
  await page.getByText('Aucune initiative ne répond à ces critères.').first().waitFor();
  await arrive(visit, 'list');
  assertQuiet(seen);
  assert.deepEqual(strangers(chromium), []);
});

test('an initiative with both columns', async (t) => {
  const chromium = await browser(t);
  const visit = await (await visitor(chromium)).page();
  const {page, seen} = visit;
  const label = await french();
  const {data} = await list();
  const tracks = data.find(({title}) => title === 'Réfection des chemins agricoles');

  // From the list with the keyboard; then straight to the address, which needs every call.
  await page.goto(DEMO);
  await arrive(visit, 'list');
  await page.getByRole('link', {name: planters.title, exact: true}).press('Enter');
  assert.equal(await arrive(visit, 'initiative'), 2);
  assert.equal(await page.evaluate(() => document.activeElement.textContent), planters.title);
  assert.equal(await page.locator('[data-column="holder"] [data-side="third_party"] li').count(), 1);
  await page.getByText('Pépinière de Gohelle').waitFor();
  await page.getByText(planters.description).waitFor(); // what people wrote is no markup
  await page.getByText('présumé fait sauf signalement').waitFor();
  await page.locator('#convention').getByText('En vigueur').waitFor();
  await picture(page, 'initiative-planters');

  await page.goto('about:blank');
  seen.requests.length = 0;
  await page.goto(`${DEMO}#/initiatives/${tracks.id}`);
  assert.equal(await arrive(visit, 'initiative'), 3);
  const {data: commitments, balance, convention} = await get(`/v1/initiatives/${tracks.id}/commitments`);
  for (const [column, sides] of [
    ['commune', ['commune']],
    ['holder', ['holder', 'host', 'third_party']],
  ]) {
    const shown = page.locator(`[data-column="${column}"]`);
    const expected = commitments.filter(({side}) => sides.includes(side));
    assert.ok(expected.length > 0);
    assert.deepEqual(
      await shown.locator('li strong').allTextContents(),
      expected.map(({title}) => title),
    );
    const bars = await shown.locator('progress').evaluateAll((all) => all.map((bar) => bar.value));
    assert.deepEqual(
      bars,
      expected.filter(({due_on}) => due_on).map(({progress}) => Number(progress)),
    );
    const euros = new Intl.NumberFormat('fr-FR', {
      style: 'currency',
      currency: 'EUR',
      trailingZeroDisplay: 'stripIfInteger',
    });
    const [promised, delivered] = ['promised_cents', 'delivered_cents'].map((field) =>
      euros.format(sides.reduce((sum, side) => sum + balance[side][field], 0) / 100),
    );
    assert.equal(await shown.locator('.total').textContent(), `Promis : ${promised}. Apporté : ${delivered}.`);
  }
  const {data: versions} = await get(`/v1/initiatives/${tracks.id}/conventions`);
  assert.deepEqual([convention.id, convention.state], [versions.at(-1).id, versions.at(-1).state]);
  assert.equal(await page.locator('#convention .state').textContent(), label('convention_states', convention.state));
  await picture(page, 'initiative');
  assert.deepEqual(await barriers(page), []);

  // One without a convention shows none.
  await page.goto(`${DEMO}#/initiatives/${data.find(({state}) => state === 'in_review').id}`);
  await arrive(visit, 'initiative');
  await page.getByText('Aucune convention n’a encore été signée.').waitFor();
  assert.equal(await page.locator('.column').count(), 0);
  assertQuiet(seen);
  assert.deepEqual(strangers(chromium), []);
});

test('the figures of the years', async (t) => {
  const chromium = await browser(t);
  const visit = await (await visitor(chromium)).page();
  const {page, seen} = visit;
  await page.goto(`${DEMO}#/chiffres`);
  assert.equal(await arrive(visit, 'figures'), 3);
  const first = new Date().getFullYear() - 5;
  const report = await get(
    `/v1/metrics?communes=${LOOS}&from=${first}` +
      '&indicators=value_delivered_by_side,initiatives_submitted,initiatives_accepted',
  );
  const expected = report.territories[0].periods.map(({values}) => {
    const value = (code) => values.find(({indicator}) => indicator === code);
    const part = (side) =>
      Number(value('value_delivered_by_side').parts.find(({code}) => code === side)?.value ?? 0) / 100;
    return [
      part('commune'),
      part('holder'),
      Number(value('initiatives_submitted').value),
      Number(value('initiatives_accepted').value),
    ];
  });
  assert.ok(
    expected.flat().some((number) => number > 0),
    'there is something to draw',
  );

  // The table says the same as the API, and the bars are as long as the table says.
  const cells = await page
    .locator('tbody tr')
    .evaluateAll((rows) =>
      rows.map((row) =>
        [...row.querySelectorAll('td')].map((cell) =>
          Number(cell.textContent.replace(/[^\d,]/g, '').replace(',', '.')),
        ),
      ),
    );
  assert.deepEqual(cells, expected);
  const charts = await page
    .locator('.chart svg')
    .evaluateAll((drawings) =>
      drawings.map((drawing) => [...drawing.querySelectorAll('rect')].map((bar) => bar.height.baseVal.value)),
    );
  for (const [chart, [from, to]] of [
    [0, [0, 2]],
    [1, [2, 4]],
  ]) {
    const values = expected.flatMap((row) => row.slice(from, to));
    const unit = Math.max(...charts[chart]) / Math.max(...values);
    assert.equal(charts[chart].length, values.length);
    for (const [index, height] of charts[chart].entries()) {
      assert.ok(Math.abs(height - unit * values[index]) < 0.01, `bar ${index} of chart ${chart}`);
    }
  }
  await page
    .getByRole('img', {name: /les valeurs sont dans le tableau/})
    .first()
    .waitFor();
  await picture(page, 'figures');
  assert.deepEqual(await barriers(page), []);
  assertQuiet(seen);
  assert.deepEqual(strangers(chromium), []);
});

test('a telephone of 360 pixels', async (t) => {
  const chromium = await browser(t);
  const visit = await (await visitor(chromium, {viewport: {width: 360, height: 740}, hasTouch: true})).page();
  const {page, seen} = visit;
  for (const [screen, hash] of [
    ['list', '#/'],
    ['initiative', `#/initiatives/${planters.id}`],
    ['figures', '#/chiffres'],
  ]) {
    await page.goto(DEMO + hash);
    await arrive(visit, screen);
    assert.equal(await page.evaluate(() => document.scrollingElement.scrollWidth), 360, `${screen} fits`);
    await picture(page, `${screen}-360`);
    assert.deepEqual(await barriers(page), []);
  }
  assertQuiet(seen);
});

test('the same files on another origin', async (t) => {
  const chromium = await browser(t);
  const server = await elsewhere();
  t.after(server.close);
  const visit = await (await visitor(chromium)).page();
  const {page, seen} = visit;
  const answers = [];
  page.on('response', async (answer) => {
    if (answer.url().startsWith(`${HOME}/v1/`)) answers.push(answer.headers()['access-control-allow-origin']);
  });
  await page.goto(`${server.address}/?api=${encodeURIComponent(HOME)}`);
  assert.equal(await arrive(visit, 'list'), 3);
  await page.getByRole('link', {name: planters.title, exact: true}).click();
  assert.equal(await arrive(visit, 'initiative'), 2);
  await page.getByRole('link', {name: 'Chiffres'}).click();
  assert.equal(await arrive(visit, 'figures'), 2);
  assert.deepEqual(answers, Array(7).fill('*'));

  // Another commune is another parameter.
  const lens = await get('/v1/communes/62498');
  await page.goto(`${server.address}/?api=${encodeURIComponent(HOME)}&commune=62498`);
  await arrive(visit, 'list');
  assert.equal(await page.locator('h1').textContent(), `Initiatives de ${lens.name}`);
  assertQuiet(seen);

  // What is wrong is said in the API's own words.
  await page.goto(`${server.address}/?api=${encodeURIComponent(HOME)}&commune=00000`);
  const problem = (await api('/v1/communes/00000')).json;
  await page.getByRole('alert').getByText(problem.detail).waitFor();
});

test('a second visit asks the program for nothing that it may keep', async (t) => {
  const chromium = await browser(t);
  const somebody = await visitor(chromium);
  const first = await somebody.page();
  const route = '/v1/initiatives';
  const before = await answered(route);
  await first.page.goto(DEMO);
  await arrive(first, 'list');
  assert.equal(await answered(route), before + 1);

  const second = await somebody.page();
  await second.page.goto(DEMO);
  await arrive(second, 'list');
  assert.equal(await answered(route), before + 1, 'the list came from the cache');
  assert.deepEqual(await titles(second.page), await titles(first.page));

  // Somebody else has another cache.
  const stranger = await (await visitor(chromium)).page();
  await stranger.page.goto(DEMO);
  await arrive(stranger, 'list');
  assert.equal(await answered(route), before + 2);

  // Asked whether it is still the same, the program says so without sending it again.
  const single = '/v1/initiatives/{id}';
  const unchanged = await answered(single, 304);
  const [kept, asked] = await second.page.evaluate(
    async (path) => [await (await fetch(path)).json(), await (await fetch(path, {cache: 'no-cache'})).json()],
    `/v1/initiatives/${planters.id}`,
  );
  assert.deepEqual(asked, kept);
  assert.equal(await answered(single, 304), unchanged + 1);
});

test('the border holds: what would leave is seen', async (t) => {
  const chromium = await browser(t);
  const {page} = await (await visitor(chromium)).page();
  await assert.rejects(page.goto('http://elsewhere.invalid/'));
  assert.deepEqual(strangers(chromium), ['http://elsewhere.invalid/']);
});
