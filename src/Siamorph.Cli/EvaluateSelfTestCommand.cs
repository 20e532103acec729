using System.CommandLine;
using System.Globalization;
using Siamorph.Evaluation;

namespace Siamorph.Cli;

/// <summary>`siamorph evaluate selftest`.</summary>
internal static class EvaluateSelfTestCommand
{
    public static Command Create() =>
        new Command("selftest", "Computes each metric on a case worked out by hand and prints it beside the expected value.")
        .Runs(context =>
    {
        var lines = SelfTest.Run();
        context.Out.WriteLine($"{"",-4}{"metric",-28} {"expected",12} {"computed",12}   case");
        foreach (var line in lines)
            context.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{(line.Passed ? "ok" : "NO"),-4}"
                + $"{line.Measure,-28} {line.Expected,12:0.000000} {line.Found,12:0.000000}   {line.Case}"));
        var failed = lines.Count(l => !l.Passed);
        context.Out.WriteLine(failed == 0 ? $"All {lines.Count} values are as expected." : $"{failed} of {lines.Count} differ.");
        context.ExitCode = failed == 0 ? 0 : Application.Failure;
    });
}
