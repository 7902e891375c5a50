//! The table of environment variables that azt reads: `help environment` and `docs/settings.md` are
//! made from it. The variables of settings are not in it: each follows from the setting's name.

/// Variables with one meaning.
#[derive(Debug)]
pub(crate) struct Variable {
    /// The names: one, or several that are set or read together.
    pub(crate) names: &'static [&'static str],
    /// What it does and, where that is not clear, what its value is. Code is in backticks.
    pub(crate) about: &'static str,
}

/// Variables that belong together.
#[derive(Debug)]
pub(crate) struct Group {
    /// The title.
    pub(crate) title: &'static str,
    /// The variables.
    pub(crate) variables: &'static [Variable],
}

const fn row(names: &'static [&'static str], about: &'static str) -> Variable {
    Variable { names, about }
}

/// Variables that CI services set for their jobs. Nearly all set the first.
pub(crate) const JOBS: &[&str] = &[
    "CI",
    "GITHUB_ACTIONS",
    "TF_BUILD",
    "GITLAB_CI",
    "JENKINS_URL",
    "BUILDKITE",
    "CIRCLECI",
    "TRAVIS",
    "TEAMCITY_VERSION",
    "BITBUCKET_BUILD_NUMBER",
    "CODEBUILD_BUILD_ID",
    "APPVEYOR",
    "DRONE",
    "BUDDY",
    "bamboo_buildKey",
];

/// Every variable, in the order of lists.
pub(crate) static GROUPS: [Group; 6] = [
    Group {
        title: "Variables of azt",
        variables: &[
            row(&["AZT_ACCOUNT"], "Account of this shell: a user name or a client id."),
            row(
                &["AZT_SUBSCRIPTION"],
                "Subscription of this shell: a name or an id; with `AZT_ACCOUNT`, one of that account.",
            ),
            row(
                &["AZT_CLIENT_ID"],
                "Client id (GUID) of a public client of your own, whose accounts give the tokens of this shell. `--subscription` overrides it. `account get-access-token`, `account show` and `logout` read it, under the name `az` too.",
            ),
            row(
                &["AZT_VAULT_KEY"],
                "The vault key: 32 bytes as 64 hex digits or base64. azt removes it from the environment of every program that it starts, except itself and the real `az`, which may start azt again.",
            ),
            row(
                &["AZT_BROKER"],
                "`unix:` and the absolute path of the socket of an `azt serve --socket`, which gives this azt its tokens. No vault and no settings of this machine are used.",
            ),
            row(
                &["AZT_TRUSTED_DIR"],
                "A configuration folder to use although owner or mode cannot be trusted (drvfs, SMB).",
            ),
            row(
                &["AZT_PIPELINE_HOSTS"],
                "Host names of your own GitHub or Azure DevOps servers that may receive a job's token, separated by blanks, with `*.` for subdomains: `github.corp.example *.ci.corp.example`.",
            ),
            row(
                &["AZT_RENEW_AHEAD", "AZT_HANDED_ON"],
                "azt sets them for processes that it starts. Do not set them.",
            ),
        ],
    },
    Group {
        title: "Variables of az and the Azure SDKs",
        variables: &[
            row(
                &["AZURE_CONFIG_DIR"],
                "The folder of settings, profile and vault, instead of `~/.azure`.",
            ),
            row(
                &["AZURE_TENANT_ID", "AZURE_CLIENT_ID"],
                "The service principal of `--identity-from-env`.",
            ),
            row(&["AZURE_CLIENT_SECRET"], "Its secret."),
            row(
                &["AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_CLIENT_CERTIFICATE_PASSWORD"],
                "Its certificate, and the password of that file.",
            ),
            row(
                &["AZURE_CLIENT_SEND_CERTIFICATE_CHAIN"],
                "`1` or `true`: sends the certificates too.",
            ),
            row(
                &["AZURE_FEDERATED_TOKEN_FILE"],
                "The file with its federated token (workload identity).",
            ),
            row(&["AZURE_AUTHORITY_HOST"], "Login host for `--identity-from-env`."),
            row(
                &["AZURE_IDENTITY_DISABLE_CP1"],
                "If set, azt does not announce that it handles claims challenges.",
            ),
            row(
                &["AZURE_ACCESS_TOKEN_FILE"],
                "`accessTokens.json` of az before 2.30, if it is elsewhere.",
            ),
            row(
                &["AZURE_POD_IDENTITY_AUTHORITY_HOST"],
                "Address of the identity endpoint, instead of the host's own.",
            ),
        ],
    },
    Group {
        title: "Variables that azt sets for programs",
        variables: &[
            row(
                &["AZD_AUTH_ENDPOINT", "AZD_AUTH_KEY", "ARM_MSI_ENDPOINT"],
                "Set by `azt exec`, printed by `azt serve`, beside `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`: where azd and Terraform get tokens. `ARM_MSI_ENDPOINT` has the key in it, because Terraform sends none.",
            ),
            row(
                &["AZD_AUTH_CERT", "AZURE_USERNAME", "AZURE_PASSWORD"],
                "Removed by `azt exec`, as the secrets of `AZURE_CLIENT_ID` and the variables of other hosts are: SDKs would use them before the endpoint.",
            ),
            row(
                &["ACCESS_TOKEN"],
                "Set by `azt exec --for`, printed by `azt token --format env`: the token.",
            ),
            row(
                &["PGHOST", "PGUSER", "PGPASSWORD", "PGSSLMODE"],
                "For `postgres`: the user is the one in the token.",
            ),
            row(
                &["MYSQL_HOST", "MYSQL_USER", "MYSQL_PWD", "LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN"],
                "For `mysql`. The program `mysql` reads no user name from its environment: `--user=$MYSQL_USER`.",
            ),
            row(
                &["REDIS_HOST", "REDIS_USER", "REDISCLI_AUTH"],
                "For `redis`. `redis-cli` reads the token only: `-h $REDIS_HOST --user $REDIS_USER --tls`.",
            ),
            row(
                &["AZT_FEED_TOKEN", "AZURE_DEVOPS_EXT_PAT"],
                "For `feeds`: Azure Artifacts by a name of your own files, and `az devops`.",
            ),
            row(&["DATABRICKS_HOST", "DATABRICKS_TOKEN"], "For `databricks`."),
            row(
                &["ARM_USE_MSI", "ARM_USE_CLI", "ARM_TENANT_ID", "ARM_SUBSCRIPTION_ID"],
                "For `terraform`, which gets its tokens at `ARM_MSI_ENDPOINT`.",
            ),
            row(
                &["AZCOPY_AUTO_LOGIN_TYPE"],
                "For `azcopy`, which gets its tokens at `IDENTITY_ENDPOINT`.",
            ),
        ],
    },
    Group {
        title: "Certificate authorities",
        variables: &[
            row(
                &["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"],
                "A PEM file of authorities to trust besides the platform's.",
            ),
            row(&["SSL_CERT_DIR"], "Folders of such files."),
        ],
    },
    Group {
        title: "Proxies",
        variables: &[
            row(
                &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"],
                "The proxy; the first that is set: `http://`, `https://`, `socks5://`, `socks5h://`, `socks4://` or `socks4a://`.",
            ),
            row(&["no_proxy", "NO_PROXY"], "Hosts and networks to reach without it."),
        ],
    },
    Group {
        title: "Variables of hosts and services",
        variables: &[
            row(&["HOME", "PATH"], "Where `~/.azure` is, and where `az` and other programs are."),
            row(
                &[
                    "IDENTITY_ENDPOINT",
                    "IDENTITY_HEADER",
                    "IDENTITY_SERVER_THUMBPRINT",
                    "IMDS_ENDPOINT",
                    "MSI_ENDPOINT",
                    "MSI_SECRET",
                    "ACC_CLOUD",
                ],
                "Set by Azure hosts: where the managed identity's tokens are.",
            ),
            row(
                &["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"],
                "Set by GitHub Actions: where a job's token is.",
            ),
            row(
                &[
                    "SYSTEM_OIDCREQUESTURI",
                    "SYSTEM_ACCESSTOKEN",
                    "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
                ],
                "Set by Azure Pipelines: where a job's token is.",
            ),
            row(JOBS, "Set by CI services: azt runs in a job."),
            row(&["BROWSER"], "The browser for a sign-in."),
            row(
                &[
                    "DISPLAY",
                    "WAYLAND_DISPLAY",
                    "SSH_CONNECTION",
                    "SSH_CLIENT",
                    "SSH_TTY",
                    "CODESPACES",
                    "REMOTE_CONTAINERS",
                    "VSCODE_IPC_HOOK_CLI",
                    "KUBERNETES_SERVICE_HOST",
                    "container",
                ],
                "Tell whether a browser would appear on your screen.",
            ),
            row(
                &["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TERM", "LC_ALL", "LC_CTYPE", "LANG"],
                "Tell whether the terminal shows colours, moves its cursor and knows UTF-8. Read under the name `azt` only.",
            ),
            row(
                &[
                    "TERM_PROGRAM",
                    "WT_SESSION",
                    "KITTY_WINDOW_ID",
                    "ALACRITTY_WINDOW_ID",
                    "TMUX",
                    "STY",
                ],
                "Tell whether the terminal copies what a program asks it to copy (OSC 52).",
            ),
            row(
                &["DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"],
                "Where the session bus is, with the keyring and the identity broker: the address, else `bus` in that folder.",
            ),
            row(
                &["WSL_DISTRO_NAME"],
                "azt runs in WSL; then `azt.exe` is searched in the absolute folders of `PATH`.",
            ),
        ],
    },
];
