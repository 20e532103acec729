using Siamorph.Studio.Folders;

namespace Siamorph.Studio.Pages;

/// <summary>What the first page shows.</summary>
internal sealed record HomeModel(string Root, IReadOnlyList<FolderFacts> Folders, IReadOnlyList<JobModel> Jobs, long FreeBytes)
{
    public IReadOnlyList<(string Title, string Page, FolderKind Kind, string Empty)> Sections { get; } =
    [
        ("Datasets", "/data", FolderKind.Dataset, "No folder of images and masks was found here."),
        ("Training runs", "/run", FolderKind.Run, "No training has been started here."),
        ("Experiments", "/experiment", FolderKind.Experiment, "No experiment has been started here."),
        ("Reader studies", "/study", FolderKind.Study, "No reader study has been made here."),
    ];
}
