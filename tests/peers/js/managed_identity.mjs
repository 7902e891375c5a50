// Gets tokens with @azure/identity on a managed identity, and prints them as a JSON list.
//
//     managed_identity.mjs GENERATION KIND CLIENT_ID SCOPE…
//
// GENERATION is 4.13 or 4.14; KIND is managed or default; CLIENT_ID may be empty.
import { createRequire } from "node:module";

const [generation, kind, clientId, ...scopes] = process.argv.slice(2);
const require = createRequire(`${process.env.AZT_TEST_NODE}/`);
const identity = require(`identity-${generation}`);
const credential =
  kind === "managed"
    ? new identity.ManagedIdentityCredential(clientId ? { clientId } : {})
    : new identity.DefaultAzureCredential(clientId ? { managedIdentityClientId: clientId } : {});
const answers = [];
for (const scope of scopes) {
  try {
    const token = await credential.getToken(scope);
    answers.push({ token: token.token, expires: token.expiresOnTimestamp });
  } catch (error) {
    answers.push({ failure: error.name, text: error.message });
  }
}
console.log(JSON.stringify(answers));
