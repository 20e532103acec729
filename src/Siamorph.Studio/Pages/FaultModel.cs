namespace Siamorph.Studio.Pages;

/// <summary>Why something is not possible.</summary>
internal sealed record FaultModel(int Status, string Message);
