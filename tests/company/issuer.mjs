// SPDX-License-Identifier: Apache-2.0
// An OpenID Connect issuer on loopback whose tokens live for so many seconds: PORT SECONDS SECRET KEY_FILE.
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Provider } from 'oidc-provider';

const [port, seconds, secret, keyFile] = process.argv.slice(2);
const key = createPrivateKey(readFileSync(keyFile)).export({ format: 'jwk' });
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: 'pilake', client_secret: secret, scope: 'system',
    grant_types: ['client_credentials'], response_types: [], redirect_uris: [],
  }],
  jwks: { keys: [{ ...key, kid: 'plant', use: 'sig' }] },
  scopes: ['system'],
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => 'urn:piwebapi',
      getResourceServerInfo: () => ({
        scope: 'system', audience: 'piwebapi', accessTokenFormat: 'jwt', accessTokenTTL: Number(seconds),
      }),
    },
  },
});
provider.on('grant.success', () => console.log('token given'));
provider.listen(Number(port), '127.0.0.1');
