// oidc-provider, a certified OpenID provider, at the paths of Microsoft Entra.
//
// Usage: node provider.mjs MODULE, with its configuration as JSON in the first line of
// stdin: {tenant, client, secret, redirect, person: {oid, name}, scopes}. It prints
// one line, {"authority": ...}, and ends when stdin is closed.
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

// Its warnings concern use in production only.
console.warn = () => {};
const { Provider } = await import(pathToFileURL(process.argv[2]));
const [line] = await once(createInterface({ input: process.stdin }), 'line');
const { tenant, client, secret, redirect, person, scopes } = JSON.parse(line);
process.stdin.on('end', () => process.exit(0)).resume();

const server = createServer();
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const authority = `http://127.0.0.1:${server.address().port}`;

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const key = { ...privateKey.export({ format: 'jwk' }), kid: 'rs', alg: 'RS256', use: 'sig' };

const provider = new Provider(`${authority}/${tenant}/v2.0`, {
  clients: [{
    client_id: client,
    client_secret: secret,
    redirect_uris: [redirect],
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_post',
  }],
  routes: {
    authorization: '/oauth2/v2.0/authorize',
    token: '/oauth2/v2.0/token',
    jwks: '/discovery/v2.0/keys',
  },
  jwks: { keys: [key] },
  cookies: { keys: ['of this process only'] },
  scopes: ['openid', 'offline_access', ...scopes],
  claims: {
    openid: ['sub', 'tid', 'oid', 'ver', 'nbf'],
    profile: ['name', 'preferred_username'],
    email: ['email'],
  },
  // As in Entra, the identity token contains the claims of a scope.
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  rotateRefreshToken: true,
  features: { devInteractions: { enabled: false }, clientCredentials: { enabled: true } },
  // Longer than five minutes, the minimum remaining lifetime of a token that is used.
  ttl: {
    AccessToken: 3600,
    ClientCredentials: 3600,
    Grant: 86400,
    IdToken: 3600,
    Interaction: 600,
    RefreshToken: 86400,
    Session: 86400,
  },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (ctx, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      tid: tenant,
      oid: person.oid,
      ver: '2.0',
      // Entra's tokens always contain it, and are rejected without it.
      nbf: Math.floor(Date.now() / 1000),
      name: person.name,
      preferred_username: person.name,
      email: person.name,
    }),
  }),
});
provider.on('server_error', (ctx, error) => console.error(error));

// Signs the only user in and consents to everything, for each prompt.
async function interact(req, res) {
  const interaction = await provider.interactionDetails(req, res);
  const { prompt: { name, details }, params, grantId, session } = interaction;
  if (name === 'login') {
    return provider.interactionFinished(req, res, { login: { accountId: person.oid } });
  }
  const known = grantId && await provider.Grant.find(grantId);
  const grant = known
    || new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope((details.missingOIDCScope ?? []).join(' '));
  grant.addOIDCClaims(details.missingOIDCClaims ?? []);
  const consent = { grantId: await grant.save() };
  return provider.interactionFinished(req, res, { consent }, { mergeWithLastSubmission: true });
}

const handle = provider.callback();
server.on('request', async (req, res) => {
  try {
    if (req.url.startsWith('/interaction/')) {
      await interact(req, res);
      return;
    }
    // The provider derives its mount path from the difference between originalUrl and url.
    req.originalUrl = req.url;
    const mounted = [`/${tenant}/`, '/common/'].find((prefix) => req.url.startsWith(prefix));
    req.url = mounted ? req.url.slice(mounted.length - 1) : '/';
    await handle(req, res);
  } catch (error) {
    console.error(error);
    res.writeHead(500).end();
  }
});
console.log(JSON.stringify({ authority }));
