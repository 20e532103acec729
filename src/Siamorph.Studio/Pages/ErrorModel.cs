namespace Siamorph.Studio.Pages;

/// <summary>Why something is not possible.</summary>
internal sealed record ErrorModel(int Status, string Message);
