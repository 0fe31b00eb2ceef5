using System.CommandLine;

namespace HttpResilience.Tool;

/// <summary><c>completion</c>: the script that a shell asks for the words that may follow.</summary>
internal static class CompletionCommand
{
    private static readonly Dictionary<string, string> Scripts = new(StringComparer.Ordinal)
    {
        ["bash"] = """
            # http-resilience completion bash > ~/.local/share/bash-completion/completions/http-resilience
            _http_resilience() {
              local IFS=$'\n'
              COMPREPLY=($(compgen -W "$(http-resilience "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
            }
            complete -o default -F _http_resilience http-resilience
            """,
        ["zsh"] = """
            # http-resilience completion zsh > ~/.zsh-http-resilience && echo 'source ~/.zsh-http-resilience' >> ~/.zshrc
            _http_resilience() {
              local words_that_follow=("${(@f)$(http-resilience "[suggest:$CURSOR]" "$BUFFER" 2>/dev/null)}")
              compadd -a words_that_follow || _files
            }
            compdef _http_resilience http-resilience
            """,
        ["pwsh"] = """
            # http-resilience completion pwsh >> $PROFILE
            Register-ArgumentCompleter -Native -CommandName http-resilience -ScriptBlock {
                param($wordToComplete, $commandAst, $cursorPosition)
                http-resilience "[suggest:$cursorPosition]" "$commandAst" 2>$null |
                    Where-Object { $_ -like "$wordToComplete*" } |
                    ForEach-Object { [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_) }
            }
            """,
    };

    internal static Command Create()
    {
        var shell = new Argument<string>("shell") { Description = "bash, zsh or pwsh." };
        shell.AcceptOnlyFromAmong([.. Scripts.Keys]);
        return new ToolCommand("completion", "Prints the script with which a shell completes the words of this tool.")
        {
            Examples =
            [
                new("completion bash > ~/.local/share/bash-completion/completions/http-resilience", "for bash, from its next start on"),
            ],
            Arguments = { shell },
            Run = (parsed, _) =>
            {
                Console.WriteLine(Scripts[parsed.GetValue(shell)!]);
                return Task.FromResult(ExitCode.Done);
            },
        };
    }
}
