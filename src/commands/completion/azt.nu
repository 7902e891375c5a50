# Nushell completion for azt; other commands keep the completer that was set before.
let azt_other_completer = $env.config.completions.external.completer?
$env.config.completions.external.completer = {|spans|
    if $spans.0 == azt {
        # azt quotes each value.
        ^azt __complete nushell ...($spans | skip 1) err> /dev/null | from json
    } else if $azt_other_completer != null {
        do $azt_other_completer $spans
    }
}
