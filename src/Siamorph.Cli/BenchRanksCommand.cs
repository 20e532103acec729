using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Siamorph.Distributed;

namespace Siamorph.Cli;

/// <summary>`mpirun -n N siamorph bench ranks`: what waiting for each other and adding up gradients costs.</summary>
internal static class BenchRanksCommand
{
    public static Command Create()
    {
        var sizes = new Option<string>("--megabytes")
        {
            Description = "Sizes of the tensors to add up, in MB; preset tiny has 20 MB of gradients, sd15 3500.",
            HelpName = "n,…",
            DefaultValueFactory = _ => "1,20,80",
        };
        var repeats = new NumberOption<int>("--repeats")
        {
            Description = "How often each is timed, after two that are not.", HelpName = "n", DefaultValueFactory = _ => 11,
        };
        var json = new Option<bool>("--json") { Description = "Prints one JSON object on one line." };
        var command = new Command("ranks", "Times how long ranks take to add up gradients: mpirun -n 2 siamorph bench ranks.")
        {
            sizes, repeats, json,
        };
        return command.Runs(context =>
        {
            if (Ranks.Group.Size == 1)
                throw new SiamorphException("bench ranks measures several ranks. Start it by a launcher: mpirun -n 2 --bind-to "
                    + "none siamorph bench ranks.");
            var timing = RankTiming.Measure(Ranks.Group, Numbers(context.Get(sizes)!), context.Get(repeats));
            if (context.Get(json)) context.Out.WriteLine(JsonSerializer.Serialize(timing, BenchCommand.OneLine));
            else Describe(timing, context.Out);
        });
    }

    private static List<double> Numbers(string list) => [.. list.Split(',').Select(text =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var n) ? n
        : throw new InvalidOptionsException(
            $"--megabytes {list}: write numbers with a point and commas between them, such as 1,20,80."))];

    private static void Describe(RankTiming t, TextWriter output)
    {
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{t.Ranks} ranks: waiting for all {t.BarrierMilliseconds:0.000} ms"));
        foreach (var sum in t.Sums)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"adding up {sum.Megabytes:0.###} MB: {sum.Milliseconds:0.0} ms, {sum.GigabitsASecond:0.0} Gbit/s"));
    }
}
