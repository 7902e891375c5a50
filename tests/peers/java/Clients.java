import com.azure.core.credential.TokenCredential;
import com.azure.core.credential.TokenRequestContext;
import com.azure.identity.DefaultAzureCredentialBuilder;
import com.azure.identity.ManagedIdentityCredentialBuilder;

/**
 * Gets tokens with azure-identity for Java and prints each, or why there is none, in a line: Clients KIND CLIENT_ID
 * RESOURCE… KIND is managed or default; CLIENT_ID may be empty.
 */
public final class Clients {
    public static void main(String[] arguments) {
        String client = arguments[1].isEmpty() ? null : arguments[1];
        TokenCredential credential = arguments[0].equals("managed")
                ? new ManagedIdentityCredentialBuilder().clientId(client).build()
                : new DefaultAzureCredentialBuilder().managedIdentityClientId(client).build();
        for (int i = 2; i < arguments.length; i++) {
            TokenRequestContext request = new TokenRequestContext().addScopes(arguments[i] + "/.default");
            try {
                System.out.println(credential.getToken(request).block().getToken());
            } catch (RuntimeException error) {
                StringBuilder text = new StringBuilder("failed:");
                for (Throwable cause = error; cause != null; cause = cause.getCause()) {
                    text.append(' ').append(cause.getMessage());
                }
                System.out.println(text.toString().replace('\n', ' ').replace('\r', ' '));
            }
        }
        // The HTTP client's threads would keep the program for a while.
        System.exit(0);
    }
}
