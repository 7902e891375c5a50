# bash completion for azt
_azt() {
    # azt quotes each reply as the word is quoted so far. `read` runs nothing that is in a name.
    IFS=$'\n' read -r -d '' -a COMPREPLY \
        < <(command azt __complete bash "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
    if [[ ${COMPREPLY[0]-} == :files ]]; then
        COMPREPLY=()
        compopt -o bashdefault -o default
    elif [[ ${COMPREPLY[0]-} == *= ]]; then
        compopt -o nospace
    fi
} 2>/dev/null
complete -F _azt azt
