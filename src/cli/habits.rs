//! What people type from habit: commands and options of az, gh, azd, gcloud and aws-vault that azt
//! has under another name.

use crate::near::nearest;

/// Command words, and azt's command for them. Of two rows that fit, the longer one counts.
const COMMANDS: [(&str, &str); 51] = [
    ("accounts", "azt account list"),
    ("accounts list", "azt account list"),
    ("account current", "azt whoami"),
    ("account get", "azt account show"),
    ("account get-token", "azt token"),
    ("account login", "azt login"),
    ("account logout", "azt logout"),
    ("account select", "azt switch"),
    ("account status", "azt whoami"),
    ("account subscription", "azt account list"),
    ("account switch", "azt switch"),
    ("account token", "azt token"),
    ("account use", "azt switch"),
    ("account whoami", "azt whoami"),
    ("ad signed-in-user", "azt whoami"),
    ("api", "azt rest"),
    ("assume", "azt switch"),
    ("auth", "azt whoami"),
    ("auth application-default", "azt login"),
    ("auth list", "azt account list"),
    ("auth login", "azt login"),
    ("auth logout", "azt logout"),
    ("auth print-access-token", "azt token"),
    ("auth print-identity-token", "azt token"),
    ("auth refresh", "azt token --force-refresh"),
    ("auth revoke", "azt logout"),
    ("auth status", "azt whoami"),
    ("auth switch", "azt switch"),
    ("auth token", "azt token"),
    ("cache info", "azt cache status"),
    ("cache show", "azt cache status"),
    ("config show", "azt config get"),
    ("configure", "azt config set"),
    ("get-access-token", "azt token"),
    ("get-token", "azt token"),
    ("info", "azt doctor"),
    ("list", "azt account list"),
    ("ls", "azt account list"),
    ("me", "azt whoami"),
    ("print-access-token", "azt token"),
    ("select", "azt switch"),
    ("set", "azt switch"),
    ("show", "azt account show"),
    ("signin", "azt login"),
    ("sign-in", "azt login"),
    ("signout", "azt logout"),
    ("sign-out", "azt logout"),
    ("subscription", "azt account list"),
    ("subscriptions", "azt account list"),
    ("tenant", "azt account tenant list"),
    ("use", "azt switch"),
];

/// Options, and azt's option for them, where the command has it.
const OPTIONS: [(&str, &str); 16] = [
    ("--client-secret", "--password"),
    ("--data", "--body"),
    ("--device-code", "--use-device-code"),
    ("--device", "--use-device-code"),
    ("--federated-credential-provider", "--federated-token-from"),
    ("--format", "--output"),
    ("--headless", "--use-device-code"),
    ("--login", "--username"),
    ("--managed-identity", "--identity"),
    ("--no-launch-browser", "--no-browser"),
    ("--profile", "--account"),
    ("--subscription-id", "--subscription"),
    ("--tenant-id", "--tenant"),
    ("--user", "--account"),
    ("--user", "--username"),
    ("--use-device", "--use-device-code"),
];

/// The words of `typed`, in any letter case, that azt does not have, with its command for them.
pub(super) fn command(typed: &[String]) -> Option<(&'static str, &'static str)> {
    let is_begin = |habit: &str| {
        let mut typed = typed.iter();
        habit.split(' ').all(|word| typed.next().is_some_and(|it| it.eq_ignore_ascii_case(word)))
    };
    let fitting = COMMANDS.into_iter().filter(|(habit, _)| is_begin(habit));
    fitting.max_by_key(|(habit, _)| habit.len())
}

/// True if a program may run `own` in place of a habit: it is complete and removes nothing.
pub(super) fn is_cure(own: &str) -> bool {
    !["azt config set", "azt logout", "azt rest"].contains(&own)
}

/// The one of `options`, as `--tenant`, that `typed` means: by habit, or by a typo.
pub(super) fn option<'o>(typed: &str, options: &[&'o str]) -> Option<&'o str> {
    let known = |wanted: &str| options.iter().copied().find(|it| *it == wanted);
    let mut of_habit = OPTIONS.iter().filter(|(habit, _)| *habit == typed);
    of_habit.find_map(|(_, own)| known(own)).or_else(|| nearest(typed, options.iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_habit_counts() {
        let of = |typed: &str| {
            let words: Vec<String> = typed.split(' ').map(str::to_owned).collect();
            command(&words).map(|(_, own)| own)
        };
        assert_eq!(of("auth token"), Some("azt token"));
        assert_eq!(of("auth nonsense"), Some("azt whoami"));
        assert_eq!(of("account subscription list"), Some("azt account list"));
        assert_eq!(of("authx"), None);
        assert_eq!(of("account"), None);
    }

    #[test]
    fn an_option_is_named_only_if_the_command_has_it() {
        let options = ["--tenant", "--use-device-code", "--username"];
        assert_eq!(option("--device-code", &options), Some("--use-device-code"));
        assert_eq!(option("--tennant", &options), Some("--tenant"));
        assert_eq!(option("--user", &options), Some("--username"));
        assert_eq!(option("--format", &options), None);
        assert_eq!(option("--nonsense", &options), None);
    }
}
