using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Siamorph.Studio.Security;

/// <summary>A browser that has entered.</summary>
/// <param name="Secret">Value of its cookie.</param>
/// <param name="FormToken">Has to come with everything that changes something.</param>
/// <param name="Link">The reader's link that it entered by; null for the owner.</param>
internal sealed record Session(string Secret, string FormToken, ReaderLink? Link)
{
    public bool IsOwner => Link is null;
}

/// <summary>Who may see what: the owner's one-time links, and browsers that have entered.</summary>
internal sealed class Sessions(Action<string> announce)
{
    public const string OwnerCookie = "siamorph", ReaderCookie = "siamorph-reader";

    private readonly ConcurrentDictionary<string, Session> _sessions = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private string _token = "";

    /// <summary>Makes a new link for one browser and tells it.</summary>
    public void Invite()
    {
        lock (_lock) _token = Random();
        announce(_token);
    }

    /// <summary>Takes a one-time token; null where it is not the one, or was used.</summary>
    public Session? Enter(string? token)
    {
        lock (_lock)
        {
            if (token is null || !Same(token, _token)) return null;
            _token = Random(); // told nobody until the next invitation
        }
        Invite();
        return Add(null);
    }

    public Session Add(ReaderLink? link)
    {
        var session = new Session(Random(), Random(), link);
        _sessions[session.Secret] = session;
        return session;
    }

    public Session? Find(string? secret) => secret is not null && _sessions.TryGetValue(secret, out var session) ? session : null;

    /// <summary>Ends those who entered by a link.</summary>
    public void Forget(string link)
    {
        foreach (var session in _sessions.Values.Where(s => s.Link?.Id == link).ToList())
            _sessions.TryRemove(session.Secret, out _);
    }

    public static string Random() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    public static bool Same(string a, string b) =>
        CryptographicOperations.FixedTimeEquals(System.Text.Encoding.UTF8.GetBytes(a), System.Text.Encoding.UTF8.GetBytes(b));
}
