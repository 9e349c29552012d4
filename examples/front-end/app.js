// Initiatives of a commune, from the public part of the Fifty-Fifty API. Nobody signs in, so every call is a plain GET
// that browsers may cache as the API says.
'use strict';

const settings = new URLSearchParams(location.search);
const COMMUNE = settings.get('commune') ?? '62528';
const API = (settings.get('api') ?? location.origin).replace(/\/+$/, '');
const PAGE_SIZE = 10;
const YEARS = 6;
// A map of less ground than this shows nothing that helps.
const SMALLEST_MAP_METRES = 1200;

// ——— Text ———

const euros = new Intl.NumberFormat('fr-FR', {
  style: 'currency',
  currency: 'EUR',
  trailingZeroDisplay: 'stripIfInteger',
});
const shortEuros = new Intl.NumberFormat('fr-FR', {
  style: 'currency',
  currency: 'EUR',
  notation: 'compact',
  maximumFractionDigits: 1,
});
const number = new Intl.NumberFormat('fr-FR', {maximumFractionDigits: 2});
const percent = new Intl.NumberFormat('fr-FR', {style: 'percent', maximumFractionDigits: 0});
const longDate = new Intl.DateTimeFormat('fr-FR', {dateStyle: 'long', timeZone: 'Europe/Paris'});

const money = (cents) => euros.format(cents / 100);
// A day has no hour: noon keeps it the same day in every time zone. French counts the first of a month as an ordinal.
const day = (text) => longDate.format(new Date(text.length === 10 ? `${text}T12:00:00Z` : text)).replace(/^1 /, '1er ');
const count = (n, one, many) => `${number.format(n)} ${n < 2 ? one : many}`;

// ——— Elements ———

const byId = (id) => document.getElementById(id);

// Text is only ever set as text: what people wrote cannot become markup.
function build(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(
    ...children
      .flat(Infinity)
      .filter((child) => child !== null && child !== undefined && child !== false && child !== ''),
  );
  return element;
}
const el = (name, properties, ...children) => build(document.createElement(name), properties, children);
const svg = (name, properties, ...children) =>
  build(document.createElementNS('http://www.w3.org/2000/svg', name), properties, children);

// ——— The API ———

class Problem extends Error {
  constructor(body) {
    super(body.detail);
    this.code = body.code;
  }
}

// What the screen that is shown has asked for.
let screen = {address: '', name: '', calls: 0, pages: 0};

async function get(path, {nextPage = false} = {}) {
  if (nextPage) screen.pages += 1;
  else screen.calls += 1;
  const answer = await fetch(`${API}${path}`, {headers: {'Accept-Language': 'fr'}});
  const body = await answer.json();
  if (!answer.ok) throw new Problem(body);
  return body;
}

// The French labels of every code: asked for once, and again only if that failed.
let labels;
async function reference() {
  labels ??= get('/v1/reference').then(
    ({data}) =>
      new Map(data.map((list) => [list.name, new Map(list.codes.map((code) => [code.code, code.labels.fr]))])),
  );
  try {
    return await labels;
  } catch (error) {
    labels = undefined;
    throw error;
  }
}

const query = (parameters) => new URLSearchParams(Object.entries(parameters).filter(([, value]) => value)).toString();

// ——— The list and its map ———

function stateOf(list, state, lists) {
  const alive = ['accepted', 'in_progress', 'completed', 'closed', 'active'];
  const over = ['refused', 'lapsed', 'withdrawn', 'abandoned', 'terminated', 'expired'];
  const mood = alive.includes(state) ? 'alive' : over.includes(state) ? 'over' : '';
  return el('span', {class: `state ${mood}`, 'data-state': state}, lists.get(list).get(state));
}

function choice(id, title, everything, options, chosen) {
  return el(
    'div',
    {class: 'field'},
    el('label', {for: id}, title),
    el(
      'select',
      {id, name: id},
      el('option', {value: ''}, everything),
      [...options].map(([code, label]) => el('option', {value: code, selected: code === chosen}, label)),
    ),
  );
}

function filters(lists, wanted) {
  const states = [...lists.get('initiative_states')].filter(([code]) => code !== 'draft'); // never public
  return el(
    'form',
    {
      class: 'filters',
      role: 'search',
      onsubmit(event) {
        event.preventDefault();
        const chosen = query(Object.fromEntries(new FormData(event.target)));
        location.hash = chosen ? `#/?${chosen}` : '#/';
      },
    },
    el(
      'div',
      {class: 'field'},
      el('label', {for: 'q'}, 'Mots'),
      el('input', {id: 'q', name: 'q', type: 'search', maxlength: 200, value: wanted.q}),
    ),
    choice('state', 'État', 'Tous les états', states, wanted.state),
    choice('theme', 'Thème', 'Tous les thèmes', lists.get('themes'), wanted.theme),
    el('button', {type: 'submit'}, 'Filtrer'),
  );
}

function listItem(initiative, rank, lists) {
  const facts = [lists.get('themes').get(initiative.theme), initiative.holder?.name, initiative.place].filter(Boolean);
  const supports = initiative.endorsement_count
    ? ` · ${count(initiative.endorsement_count, 'soutien', 'soutiens')}`
    : '';
  const light = (on) => () => document.querySelector(`.point[data-rank="${rank}"]`)?.classList.toggle('lit', on);
  return el(
    'li',
    {'data-id': initiative.id, onmouseenter: light(true), onmouseleave: light(false)},
    el('span', {class: 'rank'}, `${rank}.`),
    el(
      'div',
      {},
      el('h2', {}, el('a', {href: `#/initiatives/${initiative.id}`}, initiative.title)),
      el('p', {}, stateOf('initiative_states', initiative.state, lists)),
      el('p', {class: 'meta'}, facts.join(' · ')),
      el(
        'p',
        {class: 'meta'},
        `${initiative.submitted_at ? `Déposée le ${day(initiative.submitted_at)}` : ''}${supports}`,
      ),
    ),
  );
}

// Points by latitude and longitude, the north above. Those of one place are moved apart, with a line to where they are.
function map(initiatives) {
  const [width, height, margin, radius] = [360, 320, 28, 13];
  const placed = initiatives
    .map((initiative, index) => ({initiative, rank: index + 1}))
    .filter(({initiative}) => initiative.location);
  const missing = initiatives.length - placed.length;
  const about = missing
    ? ` ${count(missing, 'initiative n’a pas de lieu', 'initiatives n’ont pas de lieu')} sur la carte.`
    : '';
  if (placed.length === 0) return el('figure', {class: 'map'}, el('figcaption', {}, `Aucun lieu à montrer.${about}`));

  const latitudes = placed.map(({initiative}) => initiative.location.latitude);
  const longitudes = placed.map(({initiative}) => initiative.location.longitude);
  const middle = (values) => (Math.min(...values) + Math.max(...values)) / 2;
  const [latitude, longitude] = [middle(latitudes), middle(longitudes)];
  const metresNorth = 111_195;
  const metresEast = metresNorth * Math.cos((latitude * Math.PI) / 180);
  const extent = (values, metres) =>
    Math.max((Math.max(...values) - Math.min(...values)) * metres, SMALLEST_MAP_METRES);
  const scale = Math.min(
    (width - 2 * margin) / extent(longitudes, metresEast),
    (height - 2 * margin) / extent(latitudes, metresNorth),
  );

  const taken = [];
  const points = placed.map(({initiative, rank}) => {
    const x = width / 2 + (initiative.location.longitude - longitude) * metresEast * scale;
    const y = height / 2 - (initiative.location.latitude - latitude) * metresNorth * scale;
    let spot = {x, y};
    const isTaken = () => taken.some((other) => Math.hypot(other.x - spot.x, other.y - spot.y) < 2 * radius + 1);
    // Where the map is full, points may cover each other.
    for (let turn = 1; turn < 400 && isTaken(); turn += 1) {
      // The golden angle fills the surroundings evenly.
      const distance = 5 * Math.sqrt(turn);
      spot = {x: x + distance * Math.cos(2.4 * turn), y: y + distance * Math.sin(2.4 * turn)};
      spot.x = Math.min(Math.max(spot.x, radius), width - radius);
      spot.y = Math.min(Math.max(spot.y, radius), height - radius);
    }
    taken.push(spot);
    const name = `${rank}. ${initiative.title}`;
    return {
      leader: svg('line', {class: 'leader', x1: x, y1: y, x2: spot.x, y2: spot.y}),
      point: svg(
        'a',
        {class: 'point', href: `#/initiatives/${initiative.id}`, 'data-rank': rank, 'aria-label': name},
        svg('title', {}, name),
        svg('circle', {cx: spot.x, cy: spot.y, r: radius}),
        svg('text', {x: spot.x, y: spot.y + 4, 'aria-hidden': 'true'}, String(rank)),
      ),
    };
  });

  // The step of the grid is a round number of metres, about a quarter of the width.
  const step = [200, 500, 1000, 2000, 5000, 10_000, 50_000].find((metres) => metres * scale > 50) ?? 100_000;
  const lines = [];
  for (let x = (width / 2) % (step * scale); x < width; x += step * scale)
    lines.push(svg('line', {class: 'grid', x1: x, y1: 0, x2: x, y2: height}));
  for (let y = (height / 2) % (step * scale); y < height; y += step * scale)
    lines.push(svg('line', {class: 'grid', x1: 0, y1: y, x2: width, y2: y}));
  const side = step < 1000 ? `${step} m` : `${number.format(step / 1000)} km`;
  return el(
    'figure',
    {class: 'map'},
    svg(
      'svg',
      {viewBox: `0 0 ${width} ${height}`, role: 'group', 'aria-label': 'Carte des initiatives de la liste'},
      lines,
      points.map(({leader}) => leader),
      points.map(({point}) => point),
    ),
    el('figcaption', {}, `Le nord est en haut ; un carreau fait ${side} de côté.${about}`),
  );
}

async function showList(wanted) {
  const asked = query({commune: COMMUNE, state: wanted.state, theme: wanted.theme, q: wanted.q, limit: PAGE_SIZE});
  const [lists, commune, first] = await Promise.all([
    reference(),
    get(`/v1/communes/${encodeURIComponent(COMMUNE)}`),
    get(`/v1/initiatives?${asked}`),
  ]);
  const found = [];
  const items = el('ol', {class: 'initiatives'});
  const more = el('button', {type: 'button', class: 'plain', id: 'more'}, 'Voir la suite');
  const total = el('p', {class: 'quiet', id: 'total'});
  let drawing = el('figure');
  let cursor;

  function add(page) {
    const begin = found.length;
    found.push(...page.data);
    items.append(...page.data.map((initiative, index) => listItem(initiative, begin + index + 1, lists)));
    const redrawn = map(found);
    drawing.replaceWith(redrawn);
    drawing = redrawn;
    cursor = page.next_cursor;
    more.hidden = !page.has_more;
    const shown = count(found.length, 'initiative', 'initiatives');
    total.textContent = page.has_more
      ? `Les ${shown} les plus récentes.`
      : found.length
        ? `${shown}, la plus récente d’abord.`
        : 'Aucune initiative ne répond à ces critères.';
    announce(total.textContent);
  }

  more.addEventListener('click', async () => {
    more.disabled = true;
    try {
      const begin = found.length;
      add(await get(`/v1/initiatives?${asked}&${query({cursor})}`, {nextPage: true}));
      items.children[begin].querySelector('a').focus();
    } catch (error) {
      fail(error);
    }
    more.disabled = false;
    account();
  });

  const people = commune.population ? `, ${count(commune.population, 'habitant', 'habitants')}` : '';
  const view = el(
    'div',
    {},
    el('h1', {tabindex: -1}, `Initiatives de ${commune.name}`),
    el(
      'p',
      {class: 'quiet'},
      `${commune.department.name}${people}. `,
      'Des habitants proposent, la commune aide, une convention dit qui fait quoi.',
    ),
    filters(lists, wanted),
    total,
    el('div', {class: 'two'}, drawing, el('div', {}, items, el('p', {}, more))),
  );
  add(first);
  return {view, title: `Initiatives de ${commune.name}`, place: commune.name};
}

// ——— One initiative ———

const fact = (name, ...value) => value.some(Boolean) && [el('dt', {}, name), el('dd', {}, ...value)];

function commitmentItem(commitment, lists) {
  const {valuation, upkeep} = commitment;
  const what = [lists.get('commitment_kinds').get(commitment.kind)];
  if (valuation)
    what.push(`${number.format(valuation.quantity)} × ${money(valuation.unit_value_cents)} / ${valuation.unit}`);
  if (commitment.third_party_name) what.push(commitment.third_party_name);
  const when = upkeep
    ? `Entretien du ${day(upkeep.starts_on)} au ${day(commitment.upkeep_ended_on ?? upkeep.ends_on)}`
    : `Échéance : ${day(commitment.due_on)}`;
  const [delivered, promised] = [commitment.delivered_cents, commitment.value_cents].map(money);
  const done = `${percent.format(commitment.progress)} apporté : ${delivered} sur ${promised}`;
  // Upkeep is presumed done unless reported: nothing recorded is not nothing done.
  const presumed = upkeep && commitment.delivered_cents === 0;
  return el(
    'li',
    {'data-commitment': commitment.id},
    el('p', {}, el('strong', {}, commitment.title)),
    el('p', {class: 'meta'}, what.join(' · ')),
    presumed
      ? el('p', {class: 'numbers'}, `${promised} au total, présumé fait sauf signalement`)
      : [
          el('progress', {max: 1, value: commitment.progress, 'aria-label': `${commitment.title} : ${done}`}),
          el('p', {class: 'numbers'}, done),
        ],
    el('p', {class: 'meta'}, `${lists.get('commitment_states').get(commitment.state)}. ${when}.`),
    commitment.reason && el('p', {class: 'meta'}, commitment.reason),
  );
}

function column(sides, title, {data, balance}, lists) {
  const own = data.filter(({side}) => sides.includes(side));
  const sum = (field) => sides.reduce((cents, side) => cents + balance[side][field], 0);
  return el(
    'section',
    {class: `column ${sides[0]}`, 'data-column': sides[0]},
    el('h3', {}, title),
    el(
      'p',
      {class: 'total numbers'},
      `Promis : ${money(sum('promised_cents'))}. Apporté : ${money(sum('delivered_cents'))}.`,
    ),
    sides.map((side) => {
      const theirs = own.filter((commitment) => commitment.side === side);
      if (theirs.length === 0) return null;
      // The heading of the column already names its first side.
      return [
        side !== sides[0] && el('p', {class: 'quiet'}, lists.get('sides').get(side)),
        el(
          'ul',
          {'data-side': side},
          theirs.map((commitment) => commitmentItem(commitment, lists)),
        ),
      ];
    }),
  );
}

async function showInitiative(id) {
  const path = `/v1/initiatives/${encodeURIComponent(id)}`;
  const [lists, initiative, commitments] = await Promise.all([reference(), get(path), get(`${path}/commitments`)]);
  const {decision} = initiative;
  const decided = decision && `${lists.get('decision_outcomes').get(decision.outcome)} le ${day(decision.decided_on)}`;
  const {convention} = commitments;
  const carriers =
    initiative.holder &&
    `${initiative.holder.name} (${lists.get('holder_kinds').get(initiative.holder.kind).toLowerCase()})`;
  const others = ['holder', 'host', 'third_party'];
  const names = [initiative.holder?.name ?? lists.get('sides').get('holder'), initiative.host?.name].filter(Boolean);
  const view = el(
    'article',
    {},
    el('p', {}, el('a', {href: '#/'}, '← Toutes les initiatives')),
    el('h1', {tabindex: -1}, initiative.title),
    el(
      'p',
      {},
      stateOf('initiative_states', initiative.state, lists),
      ` depuis le ${day(initiative.state_changed_at)}`,
    ),
    initiative.description && el('p', {}, initiative.description),
    el(
      'dl',
      {class: 'facts'},
      fact('Porteur de projet', carriers),
      fact('Structure porteuse', initiative.host?.name),
      fact('Thème', lists.get('themes').get(initiative.theme)),
      fact('Lieu', initiative.place),
      fact('Besoin', initiative.needs),
      fact('Déposée', initiative.receipt && `le ${day(initiative.receipt.submitted_at)}`),
      fact('Décision', decision && `${decided} (${decision.capacity}) : ${decision.reason}`),
      fact('Réorientée vers', initiative.redirected_to),
      fact('Soutiens', initiative.endorsement_count && number.format(initiative.endorsement_count)),
      fact('Participants', initiative.participant_count && number.format(initiative.participant_count)),
    ),
    el('h2', {}, 'Convention'),
    convention
      ? el(
          'p',
          {id: 'convention'},
          stateOf('convention_states', convention.state, lists),
          ` Version ${convention.number}, du ${day(convention.starts_on)} au ${day(convention.ends_on)}.`,
        )
      : el('p', {id: 'convention', class: 'quiet'}, 'Aucune convention n’a encore été signée.'),
    convention && [
      el('h2', {}, 'Qui fait quoi'),
      el(
        'div',
        {class: 'columns'},
        column(['commune'], lists.get('sides').get('commune'), commitments, lists),
        column(others, names.join(' et '), commitments, lists),
      ),
    ],
  );
  return {view, title: initiative.title, place: initiative.commune.name};
}

// ——— The figures of the years ———

// Lines at round numbers, five at most.
function scaleOf(highest) {
  const power = 10 ** Math.floor(Math.log10(highest));
  const step = [power / 5, power / 2, power, power * 2].find((size) => highest / size <= 5);
  return {step, top: step * Math.ceil(highest / step)};
}

function barChart(title, years, series, format) {
  const [width, height, above, below] = [360, 240, 18, 22];
  const {step, top} = scaleOf(Math.max(...series.flatMap(({values}) => values), 5));
  const level = (value) => height - below - ((height - above - below) * value) / top;
  const lines = Array.from({length: Math.round(top / step) + 1}, (_, index) => index * step).map((value) => [
    svg('line', {class: value ? 'grid' : 'leader', x1: 0, x2: width, y1: level(value), y2: level(value)}),
    value > 0 && svg('text', {x: 3, y: level(value) - 4}, format(value)),
  ]);
  // The numbers of the lines stand at the left.
  const left = 44;
  const slot = (width - left) / years.length;
  const bar = Math.min((slot - 10) / series.length, 40);
  const bars = years.flatMap((_, column) =>
    series.map(({values}, place) =>
      svg('rect', {
        class: `c${place}`,
        x: left + slot * (column + 0.5) + bar * (place - series.length / 2) + 0.5,
        y: level(values[column]),
        width: bar - 1,
        height: height - below - level(values[column]),
      }),
    ),
  );
  return el(
    'figure',
    {class: 'chart'},
    el('h2', {}, title),
    el(
      'ul',
      {class: 'legend'},
      series.map(({label}, place) => el('li', {class: `c${place}`}, el('span', {}, label))),
    ),
    svg(
      'svg',
      {
        viewBox: `0 0 ${width} ${height}`,
        role: 'img',
        'aria-label': `${title}, de ${years[0]} à ${years.at(-1)} ; les valeurs sont dans le tableau.`,
      },
      lines,
      bars,
      years.map((year, column) =>
        svg('text', {x: left + slot * (column + 0.5), y: height - 7, 'text-anchor': 'middle'}, String(year)),
      ),
    ),
  );
}

async function showFigures() {
  const wanted = ['value_delivered_by_side', 'initiatives_submitted', 'initiatives_accepted'];
  const parameters = query({communes: COMMUNE, from: new Date().getFullYear() - YEARS + 1, indicators: wanted.join()});
  const [lists, dictionary, report] = await Promise.all([
    reference(),
    get('/v1/metrics/dictionary'),
    get(`/v1/metrics?${parameters}`),
  ]);
  const [{territory: commune, periods: all}] = report.territories;
  const definitions = new Map(dictionary.data.map((definition) => [definition.code, definition]));
  const label = (code) => definitions.get(code).label.fr;
  const years = all.map(({code}) => code);
  const figure = (year, code) => year.values.find(({indicator}) => indicator === code);
  const bySide = [...lists.get('sides')].map(([side, name]) => ({
    label: name,
    values: all.map((year) => Number(figure(year, wanted[0]).parts.find(({code}) => code === side)?.value ?? 0)),
  }));
  // The two sides are always there; host and third parties where they gave something.
  const value = bySide.filter(({values}, place) => place < 2 || values.some((cents) => cents > 0));
  const initiatives = wanted
    .slice(1)
    .map((code) => ({label: label(code), values: all.map((year) => Number(figure(year, code).value))}));
  const columns = [
    ...value.map((series) => ({
      ...series,
      label: `${label(wanted[0])} : ${series.label.toLowerCase()}`,
      format: money,
    })),
    ...initiatives.map((series) => ({...series, format: number.format})),
  ];
  const view = el(
    'div',
    {},
    el('h1', {tabindex: -1}, `${commune.name} en chiffres`),
    el('p', {class: 'quiet'}, 'Ce que chaque partie a apporté, année par année. Ni objectif, ni classement.'),
    el(
      'div',
      {class: 'charts'},
      barChart(label(wanted[0]), years, value, (cents) => shortEuros.format(cents / 100)),
      barChart('Initiatives par année', years, initiatives, number.format),
    ),
    el('h2', {}, 'Les mêmes chiffres en tableau'),
    el(
      'div',
      {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Tableau des chiffres'},
      el(
        'table',
        {},
        el('caption', {}, `${commune.name}, ${years[0]} à ${years.at(-1)}`),
        el(
          'thead',
          {},
          el(
            'tr',
            {},
            el('th', {scope: 'col'}, 'Année'),
            columns.map((series) => el('th', {scope: 'col'}, series.label)),
          ),
        ),
        el(
          'tbody',
          {},
          years.map((year, row) =>
            el(
              'tr',
              {},
              el('th', {scope: 'row'}, String(year)),
              columns.map(({values, format}) => el('td', {}, format(values[row]))),
            ),
          ),
        ),
      ),
    ),
    el('h2', {}, 'Ce que les chiffres veulent dire'),
    el(
      'dl',
      {class: 'facts'},
      wanted.map((code) => fact(label(code), definitions.get(code).definition.fr)),
    ),
  );
  announce(`Chiffres de ${years[0]} à ${years.at(-1)}`);
  return {view, title: `${commune.name} en chiffres`, place: commune.name};
}

// ——— From the address to a screen ———

function announce(text) {
  byId('status').textContent = text;
}

function fail(error) {
  console.warn(error);
  const said = error instanceof Problem ? `${error.message} (${error.code})` : `L’API ne répond pas : ${API}`;
  byId('main').prepend(el('p', {class: 'problem', role: 'alert'}, said));
}

// How many calls the screen needed: data for a test, words for a developer.
function account() {
  const {address, name, calls, pages} = screen;
  Object.assign(byId('footer').dataset, {address, screen: name, calls, pages});
  const following = pages ? `, et ${count(pages, 'page suivante', 'pages suivantes')}` : '';
  byId('calls').textContent = `Cet écran a demandé ${count(calls, 'réponse', 'réponses')} à l’API${following}.`;
}

async function show() {
  const [path, search] = location.hash.replace(/^#/, '').split('?');
  const [, place, id] = path.split('/');
  const name = place === 'initiatives' && id ? 'initiative' : place === 'chiffres' ? 'figures' : 'list';
  const isFirst = screen.name === '';
  const own = {address: location.hash, name, calls: 0, pages: 0};
  screen = own;
  const main = byId('main');
  main.setAttribute('aria-busy', 'true');
  for (const link of document.querySelectorAll('[data-nav]')) {
    if (link.dataset.nav === name) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  try {
    const wanted = Object.fromEntries(new URLSearchParams(search ?? ''));
    const screens = {list: () => showList(wanted), initiative: () => showInitiative(id), figures: showFigures};
    const {view, title, place: commune} = await screens[name]();
    if (screen !== own) return;
    main.replaceChildren(view);
    document.title = `${title} · Fifty-Fifty`;
    byId('place').textContent = `${commune} · initiatives citoyennes`;
    // A screen reader begins at the heading of a new screen; at the first one the browser does it by itself.
    if (!isFirst) {
      view.querySelector('h1').focus({preventScroll: true});
      window.scrollTo(0, 0);
    }
  } catch (error) {
    if (screen !== own) return;
    main.replaceChildren();
    fail(error);
  }
  main.setAttribute('aria-busy', 'false');
  account();
}

byId('skip').addEventListener('click', (event) => {
  event.preventDefault();
  byId('main').focus();
});
byId('api').textContent = API;
window.addEventListener('hashchange', show);
show();
