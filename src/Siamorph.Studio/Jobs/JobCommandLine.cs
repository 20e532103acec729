namespace Siamorph.Studio.Jobs;

/// <summary>
/// Makes a command line of a filled form. No shell ever sees it; paths are brought below the root, and a value can't become a
/// flag.
/// </summary>
internal static class JobCommandLine
{
    /// <exception cref="StudioException">Something is missing, or a path leads out of the root.</exception>
    public static IReadOnlyList<string> Form(VerbForm form, IReadOnlyDictionary<string, string> values, RootFolder root)
    {
        var words = form.Verb.Split(' ').ToList();
        foreach (var field in form.Fields)
        {
            var value = values.GetValueOrDefault(field.Name, "").Trim();
            if (value.Length == 0)
            {
                if (field.Required) throw new StudioException(400, $"\"{field.Label}\" is missing. Fill it in.");
                continue;
            }
            if (field.Kind == FieldKind.Switch) words.Add(field.Name);
            else if (field.IsArgument) words.Add(Value(field, value, root));
            else words.Add($"{field.Name}={Value(field, value, root)}");
        }
        return words;
    }

    /// <summary>The folder that a job writes, below the root; null where it writes none.</summary>
    public static string? Target(VerbForm form, IReadOnlyDictionary<string, string> values) =>
        form.Fields.FirstOrDefault(f => f.Kind == FieldKind.New) is { } field && values.TryGetValue(field.Name, out var value)
        && value.Length > 0 ? value : null;

    /// <summary>What goes on with a job that was stopped.</summary>
    public static IReadOnlyList<string> Resume(VerbForm form, IReadOnlyDictionary<string, string> values, RootFolder root)
    {
        if (form.ResumeFlag is not { } flag) return Form(form, values, root);
        // Such a verb goes on with the options it began with, and refuses others.
        var kept = form.Fields.Where(f => f.Required || f.IsArgument).Select(f => f.Name).ToHashSet();
        return [.. Form(form, values.Where(v => kept.Contains(v.Key)).ToDictionary(), root), flag];
    }

    private static string Value(FormField field, string value, RootFolder root) => field.Kind switch
    {
        FieldKind.Existing => root.Resolve(value),
        FieldKind.New => root.ResolveNew(value),
        FieldKind.Choice when !field.Choices.Contains(value) =>
            throw new StudioException(400, $"\"{field.Label}\" is one of {string.Join(", ", field.Choices)}."),
        _ when field.IsArgument && value.StartsWith('-') =>
            throw new StudioException(400, $"\"{field.Label}\" can't begin with a dash."),
        _ => value,
    };
}
