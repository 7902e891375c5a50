# PowerShell completion for azt
Register-ArgumentCompleter -Native -CommandName azt -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        ForEach-Object {
            if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $_.Value }
            else { $_.Extent.Text }
        })
    # PowerShell drops an empty argument, so that the word is given after a colon. azt quotes each value.
    & azt __complete powershell @words ":$wordToComplete" 2>$null | Where-Object { $_ -ne ':files' } | ForEach-Object {
        $value, $shown, $about = $_ -split "`t", 3
        if (-not $about) { $about = $shown }
        [System.Management.Automation.CompletionResult]::new($value, $shown, 'ParameterValue', $about)
    }
}
