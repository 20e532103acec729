namespace Siamorph.Data.Splits;

/// <summary>The words for the three parts of a dataset, in folders, manifests and tables, in any case.</summary>
internal static class SplitNames
{
    private static readonly Dictionary<string, string> Known = new(StringComparer.OrdinalIgnoreCase)
    {
        ["train"] = "train", ["training"] = "train", ["tr"] = "train", ["trainset"] = "train", ["train_set"] = "train",
        ["val"] = "val", ["valid"] = "val", ["validation"] = "val", ["validate"] = "val", ["dev"] = "val",
        ["development"] = "val",
        ["test"] = "test", ["testing"] = "test", ["ts"] = "test", ["testset"] = "test", ["test_set"] = "test",
    };

    /// <summary>"train", "val" or "test"; null for any other word.</summary>
    public static string? Meant(string word) => Known.GetValueOrDefault(word.Trim());

    /// <summary>The place of a split among the three.</summary>
    public static int Order(string split) => split switch { "train" => 0, "val" => 1, _ => 2 };

    /// <summary>
    /// The same; a word that is none of these is an error, so that a test image never counts as something else.
    /// </summary>
    /// <exception cref="InvalidDatasetException">The word is unknown.</exception>
    public static string Read(string word, string where) =>
        Meant(word) ?? throw new InvalidDatasetException($"{where}: the split '{word}' is unknown. Write train, val or test.");
}
