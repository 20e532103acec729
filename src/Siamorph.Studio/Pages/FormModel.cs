using Siamorph.Studio.Jobs;

namespace Siamorph.Studio.Pages;

/// <summary>A form, filled or not.</summary>
/// <param name="Form">The verb.</param>
/// <param name="Values">What was filled in, by field.</param>
/// <param name="Folders">Folders that were recognised, to choose from.</param>
/// <param name="Checked">What the check said; null before it.</param>
/// <param name="Fault">Why the form can't be sent; null where it can.</param>
internal sealed record FormModel(
    VerbForm Form, IReadOnlyDictionary<string, string> Values, IReadOnlyList<string> Folders, DryRun? Checked, string? Fault)
{
    public string Value(FormField field) => Values.GetValueOrDefault(field.Name, "");
}
