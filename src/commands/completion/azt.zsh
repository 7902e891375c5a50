#compdef azt
# zsh completion for azt
_azt() {
    local tab=$'\t'
    local -a found values shown open
    # An open quote is not in PREFIX.
    local quote=$compstate[quote]
    local typed=${(Q)${:-$quote$PREFIX$quote}}
    # compadd quotes each value as the word is quoted so far.
    found=("${(@f)$(command azt __complete zsh "${(@Q)words[2,CURRENT-1]}" "$typed" 2>/dev/null)}")
    if [[ $found[1] == :files ]]; then
        _files
        return
    fi
    [[ -n $found[1] ]] || return 1
    values=("${(@)found%%$tab*}")
    shown=("${(@)found/$tab/  -- }")
    [[ $values[1] == *= ]] && open=(-S '')
    compadd "$open[@]" -M 'm:{[:lower:][:upper:]}={[:upper:][:lower:]}' -V azt -l -d shown -a values
}
if [[ ${funcstack[1]-} == _azt ]]; then
    _azt "$@"
elif (( $+functions[compdef] )); then
    compdef _azt azt
fi
