using Microsoft.AspNetCore.Components;
using Siamorph.Studio.Security;

namespace Siamorph.Studio.Pages;

/// <summary>A page or a part of one: rendered once, for one request.</summary>
public abstract class StudioComponent : ComponentBase
{
    /// <summary>What the page shows; a record of this assembly.</summary>
    [Parameter]
    public object? Model { get; set; }

    /// <summary>The browser's session; null before it has entered.</summary>
    [Parameter]
    public object? Session { get; set; }

    /// <summary>The model as what it is.</summary>
    internal T The<T>() => (T)Model!;

    /// <summary>Has to come with every form.</summary>
    internal string FormToken => (Session as Session)?.FormToken ?? "";

    /// <summary>Text for an address.</summary>
    internal static string Url(string text) => Uri.EscapeDataString(text);

    /// <summary>Markup made by this program.</summary>
    internal static MarkupString Raw(string markup) => new(markup);
}
