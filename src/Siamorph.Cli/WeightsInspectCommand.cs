using System.CommandLine;
using System.Globalization;
using Siamorph.Siamese.WeightFiles;
using Siamorph.Training;

namespace Siamorph.Cli;

/// <summary>`siamorph weights inspect FILE`.</summary>
internal static class WeightsInspectCommand
{
    private const int Shown = 8;

    public static Command Create()
    {
        var file = new Argument<string>("file")
        {
            Description = "Weight file, *.index.json, diffusers or DeepSpeed folder, or run folder of `train`.",
        };
        var all = new Option<bool>("--all") { Description = "Lists every tensor and every difference." };
        var json = new Option<bool>("--json") { Description = "Prints the report as JSON." };
        var command = new Command("inspect",
            "Reports what a weight file contains, which preset it fits, and what is missing; executes nothing in it.") { file,
            all, json };
        return command.Runs(context =>
        {
            var report = WeightsInspector.Inspect(context.Get(file));
            if (context.Get(json)) context.Out.WriteLine(OptionsFile.ToJson(report));
            else Render(report, context.Get(all) ? int.MaxValue : Shown, context.Out);
        });
    }

    private static void Render(WeightsInspection report, int most, TextWriter output)
    {
        output.WriteLine($"{report.Path}: {report.What}");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Named(report)}, {Tensors(report.Tensors.Count)} ("
                + $"{string.Join(", ", report.DTypes.Select(d => $"{d.Value} {d.Key}"))}), {report.Elements:N0} numbers, "
                + $"{Size(report.Bytes)}"));
        foreach (var part in report.Parts) Render(part, most, output);
        if (report.Parts.Count > 0 && report.Leftover.Count > 0)
            List(output, $"{Tensors(report.Leftover.Values.Sum())} that belong to no known part",
                report.Leftover.Select(l => $"{l.Key} ({l.Value})"), most);
        if (report.Parts.Count == 0 || most == int.MaxValue)
            List(output, "tensors", report.Tensors.Select(t => $"{t.Name} {t.DType} [{string.Join(",", t.Shape)}]"), most);
        foreach (var (key, value) in report.Metadata)
            output.WriteLine($"  metadata: {key} = {(value.Length > 100 ? value[..100] + "…" : value)}");
        foreach (var note in report.Notes) output.WriteLine($"  note: {note}");
        output.WriteLine(report.Advice);
    }

    private static void Render(PartInspection part, int most, TextWriter output)
    {
        output.WriteLine($"  {part.Part}: {Tensors(part.Tensors)}, {Size(part.Bytes)}, {part.Layout} names, "
            + $"{(part.Fits ? "fits" : "closest to")} preset {part.Preset}");
        List(output, "  missing", part.Missing, most);
        List(output, "  left over", part.Unexpected, most);
        List(output, "  other shape", part.Misshapen, most);
    }

    private static void List(TextWriter output, string title, IEnumerable<string> items, int most)
    {
        var list = items.ToList();
        if (list.Count == 0) return;
        output.WriteLine($"  {title}:");
        foreach (var item in list.Take(most)) output.WriteLine($"      {item}");
        if (list.Count > most) output.WriteLine($"      and {list.Count - most} more (--all shows them)");
    }

    private static string Named(WeightsInspection report) => report.Format switch
    {
        Weights.WeightsFormat.SafeTensors => "safetensors",
        Weights.WeightsFormat.TorchZip => "PyTorch file (zip)",
        Weights.WeightsFormat.TorchLegacy => "PyTorch file (layout before 1.6)",
        Weights.WeightsFormat.Sharded => "several files with an index",
        Weights.WeightsFormat.DiffusersFolder => "diffusers folder",
        _ => "DeepSpeed checkpoint",
    };

    private static string Tensors(long count) => count == 1 ? "1 tensor" : $"{count} tensors";

    private static string Size(long bytes) => bytes < 1 << 20
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.0} KiB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:N1} MiB");
}
