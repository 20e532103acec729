using Siamorph.Cli;



namespace Siamorph.Tests.Cases;

/// <summary>Runs verbs within the test's process and keeps what they print.</summary>
internal static class CommandLine
{
    public static (int ExitCode, string Output, string Error) Run(params string[] arguments)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var exitCode = Application.Run(Program.Verbs(), arguments, new Application.Surroundings
        {
            Output = output, Error = error,
        });
        return (exitCode, output.ToString(), error.ToString());
    }
}
