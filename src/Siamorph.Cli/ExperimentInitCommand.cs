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
        var file = new Option<string>("--file", "-f") { Description = "Design file to write.", DefaultValueFactory = _ => "experiment.json", HelpName = "file" };
        var preset = new Option<string>("--preset") { Description = $"Generator: {string.Join(", ", Presets.All.Keys)}.", DefaultValueFactory = _ => Presets.All.Keys.First(), HelpName = "name" };
        var command = new Command("init", "Writes a good design for these data: sizes, arms, controls, the declared end-point.") { data, file, preset };
        return command.Runs(context =>
        {
            var name = context.Get(preset)!;
            if (!Presets.All.TryGetValue(name, out var generator))
                throw new InvalidOptionsException($"--preset {name}: unknown; there are {string.Join(", ", Presets.All.Keys)}.");
            var target = context.Get(file)!;
            if (File.Exists(target)) throw new SiamorphException($"{target}: exists already. Name another file, or remove it.");
            OptionsFile.Save(target, ExperimentDesign.For(context.Get(data), generator));
            context.Out.WriteLine($"Wrote {target}. See what it costs: siamorph experiment --options {target} --out FOLDER --dry-run");
        });
    }
}
