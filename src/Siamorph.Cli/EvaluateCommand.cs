using System.CommandLine;

namespace Siamorph.Cli;

/// <summary>`siamorph evaluate …`.</summary>
internal static class EvaluateCommand
{
    public static Command Create() => new("evaluate", "Scores masks, compares sets of images, and checks its own measures.")
    {
        EvaluateImagesCommand.Create(),
        EvaluateMasksCommand.Create(),
        EvaluateSelfTestCommand.Create(),
    };
}
