using System.CommandLine;
using Siamorph.Experiment;
using Siamorph.Siamese;
using Siamorph.Training;

namespace Siamorph.Cli;

/// <summary>`siamorph experiment init DATA --file DESIGN`.</summary>
internal static class ExperimentInitCommand
{
    public static Command Create()
    {
        var data = new Argument<string>("data") { Description = "Folder of images and masks." };
        var file = new Option<string>("--file", "-f")
        {
            Description = "Design file to write.", DefaultValueFactory = _ => "experiment.json", HelpName = "file",
        };
        var preset = new Option<string>("--preset")
        {
            Description = $"Generator: {string.Join(", ", Presets.All.Keys)}.", DefaultValueFactory = _ =>
                Presets.All.Keys.First(), HelpName = "name",
        };
        var command = new Command("init",
            "Writes a design file suited to a dataset: training-set sizes, arms, controls, the primary end-point.") { data,
            file, preset };
        return command.Runs(context =>
        {
            var name = context.Get(preset)!;
            if (!Presets.All.TryGetValue(name, out var generator))
                throw new InvalidOptionsException($"--preset {name}: unknown; use one of {string.Join(", ", Presets.All.Keys)}.");
            var target = context.Get(file)!;
            if (File.Exists(target)) throw new SiamorphException(
                $"{target}: the file exists already. Choose another name, or remove it.");
            OptionsFile.Save(target, ExperimentDesign.For(context.Get(data), generator));
            context.Out.WriteLine(
                $"Wrote {target}. To see how long it takes, run: siamorph experiment --options {target} --out FOLDER --dry-run");
        });
    }
}
