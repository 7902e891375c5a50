# fish completion for azt
function __azt_complete
    set -l words (commandline -opc)
    set -e words[1]
    set -l current (commandline -ct)
    # fish quotes each value as the word is quoted so far.
    set -l found (command azt __complete fish $words "$current" 2>/dev/null)
    if test "$found[1]" = :files
        # As for a command without completions of its own, so that ~ and quotes count.
        complete -C "'' $current"
    else if set -q found[1]
        printf '%s\n' $found
    end
end
complete -c azt -f -k -a '(__azt_complete)'
