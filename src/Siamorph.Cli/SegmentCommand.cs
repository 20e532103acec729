using System.CommandLine;

namespace Siamorph.Cli;

/// <summary>`siamorph segment …`.</summary>
internal static class SegmentCommand
{
    public static Command Create() => new("segment", "Trains, applies and scores a segmentation network.")
    {
        SegmentTrainCommand.Create(),
        SegmentPretrainCommand.Create(),
        SegmentPredictCommand.Create(),
        SegmentExportCommand.Create(),
        SegmentEvaluateCommand.Create(),
    };
}
