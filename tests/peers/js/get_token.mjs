// Gets a token with @azure/identity, which starts `az`, and prints it as JSON.
//
//     get_token.mjs GENERATION KIND SCOPE [OPTIONS AS JSON]
//
// GENERATION is 4.13 (starts a shell) or 4.14 (starts az itself); KIND is cli or default.
import { createRequire } from "node:module";

const [generation, kind, scope, options = "{}"] = process.argv.slice(2);
const require = createRequire(`${process.env.AZT_TEST_NODE}/`);
const identity = require(`identity-${generation}`);
const credential =
  kind === "cli"
    ? new identity.AzureCliCredential(JSON.parse(options))
    : new identity.DefaultAzureCredential(JSON.parse(options));
try {
  const token = await credential.getToken(scope);
  console.log(JSON.stringify({ token: token.token, expires: token.expiresOnTimestamp }));
} catch (error) {
  console.log(JSON.stringify({ error: error.name, message: error.message }));
}
