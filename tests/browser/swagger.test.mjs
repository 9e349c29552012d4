// Swagger UI, as an agent of the town hall sees it on the first day.

import assert from 'node:assert/strict';
import {test} from 'node:test';
import {HOME, LOOS, act, api, assertQuiet, browser, get, picture, strangers, tokenOf, visitor} from './support.mjs';

/** The order of the story: come in, find the commune, carry an idea, promise, sign, look back, count. */
const STORY = [
  'authentication',
  'accounts',
  'communes',
  'mandates',
  'holders',
  'initiatives',
  'recusals',
  'commitments',
  'envelopes',
  'authorities',
  'conventions',
  'subsidies',
  'evaluations',
  'documents',
  'meetings',
  'measures',
  'metrics',
  'practices',
  'exports',
  'changes',
  'webhooks',
  'clients',
  'imports',
  'reference',
];
/** What a newcomer does, in this order. */
const STEPS = [
  'Authorize',
  'POST /v1/auth/token',
  'GET /v1/communes?q=',
  'POST /v1/communes/{code}/initiatives',
  'POST /v1/initiatives/{id}/submit',
];
const ACCOUNTS = ['admin', 'agent', 'maire', 'adjointe', 'agriculteur', 'habitante'].map(
  (name) => `${name}@demo.example`,
);

test('an agent signs in and starts a review', async (t) => {
  const chromium = await browser(t);
  const {page, seen} = await (await visitor(chromium)).page();
  await page.goto(`${HOME}/docs/`);
  await page.locator('.opblock-tag').first().waitFor();
  assert.deepEqual(await page.locator('.opblock-tag').evaluateAll((tags) => tags.map((tag) => tag.dataset.tag)), STORY);

  const description = await page.locator('.info .description').innerText();
  const places = STEPS.map((step) => description.indexOf(step));
  assert.ok(!places.includes(-1), `${STEPS[places.indexOf(-1)]} is not in the description`);
  assert.deepEqual(
    places,
    [...places].sort((one, other) => one - other),
    'the steps stand in their order',
  );
  for (const word of [...ACCOUNTS, 'cinquante-cinquante']) assert.ok(description.includes(word), word);
  await picture(page, 'swagger', false);

  // Only an agent may do it; the list of what waits comes from the API.
  const [agent, resident] = await Promise.all(['agent', 'habitante'].map((name) => tokenOf(`${name}@demo.example`)));
  const {
    data: [waiting],
  } = await get(`/v1/initiatives?commune=${LOOS}&state=submitted`, agent);
  const path = `/v1/initiatives/${waiting.id}`;
  const etag = (await api(path, {token: agent})).headers.get('etag');
  assert.equal((await api(path, {token: resident})).status, 404);
  assert.equal(
    (await api(`${path}/start_review`, {method: 'POST', body: {}, headers: {'if-match': etag}})).status,
    401,
  );

  await page.locator('.auth-wrapper .authorize').click();
  const dialog = page.locator('.modal-ux');
  await dialog.locator('#oauth_username').fill('agent@demo.example');
  await dialog.locator('#oauth_password').fill('cinquante-cinquante');
  // The other form is that of programs.
  const form = dialog.locator('.auth-container', {has: page.locator('#oauth_username')});
  await form.locator('button.authorize').click();
  await dialog.getByText('Logout').waitFor();
  await picture(page, 'swagger-authorized', false);
  await dialog.locator('button.btn-done').first().click();

  const operation = page.locator('#operations-initiatives-start_initiative_review');
  await operation.locator('.opblock-summary-control').click();
  await operation.locator('tr[data-param-name="id"] input').fill(waiting.id);
  await operation.locator('tr[data-param-name="If-Match"] input').fill(etag);
  await operation.locator('button.execute').click();
  const live = operation.locator('.live-responses-table');
  await live.waitFor();
  assert.equal((await live.locator('tbody .response-col_status').first().innerText()).trim().split(/\s/)[0], '200');
  const answer = JSON.parse(await live.locator('tbody .response-col_description pre').first().innerText());
  assert.equal(answer.state, 'in_review');
  assert.deepEqual(answer.allowed_actions, (await get(path, agent)).allowed_actions);
  assert.ok(answer.allowed_actions.includes('give_opinion'), answer.allowed_actions.join());
  await live.locator('tbody .response-col_status').first().scrollIntoViewIfNeeded();
  await picture(page, 'swagger-answer', false);

  assertQuiet(seen);
  assert.deepEqual(strangers(chromium), []);
});

test('the program of a partner signs in and reports a measure', async (t) => {
  const admin = await tokenOf('admin@demo.example');
  const body = {name: 'Site de la commune', contact: 'informatique@partner.example', scopes: ['measures', 'webhooks']};
  const made = await act(`/v1/communes/${LOOS}/clients`, admin, body);
  const {page, seen} = await (await visitor(await browser(t))).page();
  await page.goto(`${HOME}/docs/`);
  await page.locator('.auth-wrapper .authorize').click();
  const dialog = page.locator('.modal-ux');
  const form = dialog.locator('.auth-container', {has: page.locator('#client_id_clientCredentials')});
  await form.locator('#client_id_clientCredentials').fill(made.id);
  await form.locator('#client_secret_clientCredentials').fill(made.secret);
  await form.getByText('Report the measures of the commune').click();
  await form.locator('button.authorize').click();
  await dialog.getByText('Logout').waitFor();
  await dialog.locator('button.btn-done').first().click();

  const operation = page.locator('#operations-measures-put_measure');
  await operation.locator('.opblock-summary-control').click();
  await operation.locator('tr[data-param-name="indicator"] input').fill('beehives');
  await operation.locator('tr[data-param-name="If-Match"] input').fill('');
  await operation.locator('button.execute').click();
  const live = operation.locator('.live-responses-table');
  await live.waitFor();
  assert.equal((await live.locator('tbody .response-col_status').first().innerText()).trim().split(/\s/)[0], '201');
  await act(`/v1/clients/${made.id}/rotate_secret`, admin, {overlap_hours: 0});
  assertQuiet(seen);
});
