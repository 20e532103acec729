using System.Security.Cryptography;
using System.Text;
using Siamorph.Training;

namespace Siamorph.Studio.Security;

/// <summary>A link that opens one study to one reader, and nothing else.</summary>
/// <param name="Id">Stands in addresses.</param>
/// <param name="Study">The study's folder below the root.</param>
/// <param name="TokenSha256">Hash of the link's secret, which is kept nowhere.</param>
/// <param name="Note">The owner's own note of whom it is for.</param>
/// <param name="Reader">The pseudonym that was enrolled by it, once there is one.</param>
internal sealed record ReaderLink(string Id, string Study, string TokenSha256, string Note, string? Reader = null);

/// <summary>The links given to readers. They are in a file, so that a reader's link outlives the server.</summary>
internal sealed class ReaderLinks(RootFolder root)
{
    private readonly Lock _lock = new();

    private string FilePath => Path.Combine(root.State, "readers.json");

    public IReadOnlyList<ReaderLink> All
    {
        get
        {
            lock (_lock) return File.Exists(FilePath) ? OptionsFile.Load<LinkList>(FilePath).Links : [];
        }
    }

    public ReaderLink? Find(string id) => All.FirstOrDefault(l => l.Id == id);

    /// <summary>Makes a link; its secret is told this once.</summary>
    public (ReaderLink Link, string Token) Make(string study, string note)
    {
        var token = Sessions.Random();
        var link = new ReaderLink(Sessions.Random()[..12], study, HashOf(token), note);
        Change(links => [.. links, link]);
        return (link, token);
    }

    /// <summary>The link that this secret opens, or null.</summary>
    public ReaderLink? Enter(string id, string? token) =>
        token is not null && Find(id) is { } link && Sessions.Same(link.TokenSha256, HashOf(token)) ? link : null;

    public void Enrolled(string id, string reader) => Change(links => [.. links.Select(l => l.Id == id ? l with
    {
        Reader = reader,
    } : l)]);

    public void Remove(string id) => Change(links => [.. links.Where(l => l.Id != id)]);

    private void Change(Func<IReadOnlyList<ReaderLink>, IReadOnlyList<ReaderLink>> change)
    {
        lock (_lock)
        {
            OptionsFile.Save(FilePath, new LinkList(change(All)));
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(FilePath, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    private static string HashOf(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    internal sealed record LinkList(IReadOnlyList<ReaderLink> Links);
}
