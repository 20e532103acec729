using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Siamorph.Data;
using Siamorph.Diffusion;
using Siamorph.Imaging;

namespace Siamorph.Synthesis;

/// <summary>
/// One image that is wanted of a model that stays loaded: a line of JSON for `synthesize --serve`. Id, number and seed decide the
/// noise as they do for <see cref="Synthesizer"/>; what is left out is as the model was trained.
/// </summary>
internal sealed record DrawRequest
{
    /// <summary>How both sides write a line. Bytes are base64.</summary>
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.Strict,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    /// <summary>Anything; comes back with each answer.</summary>
    public JsonNode? Request { get; init; }

    /// <summary>Ends the drawing under way instead of asking for another.</summary>
    public bool Stop { get; init; }

    /// <summary>Names the mask.</summary>
    public string Id { get; init; } = "mask";

    /// <summary>Which of the mask's images, from 0.</summary>
    public int Number { get; init; }

    /// <summary>The master seed.</summary>
    public Seed Seed { get; init; }

    /// <summary>The mask, of any size.</summary>
    public MaskBytes? Mask { get; init; }

    /// <summary>The classes of the mask, as in classes.json; null for lesion against background.</summary>
    public IReadOnlyList<MaskClass>? Classes { get; init; }

    /// <summary>Noise, or real: an image that is noised in part.</summary>
    public SampleStart Start { get; init; }

    /// <summary>That image, as the bytes of a file.</summary>
    public byte[]? Image { get; init; }

    /// <summary>Id of the pair that the image belongs to; null for the mask's.</summary>
    public string? Host { get; init; }

    /// <summary>See <see cref="SynthesisOptions.Strength"/>.</summary>
    public double? Strength { get; init; }

    /// <summary>See <see cref="SynthesisOptions.ImageWeight"/>.</summary>
    public double ImageWeight { get; init; }

    /// <summary>How the walk from noise is computed.</summary>
    public SamplerKind? Sampler { get; init; }

    /// <summary>Denoising steps.</summary>
    public int? Steps { get; init; }

    /// <summary>Guidance scale.</summary>
    public double? Guidance { get; init; }

    /// <summary>What the model is told.</summary>
    public string? Prompt { get; init; }

    /// <summary>Steps between two previews; 0 for none.</summary>
    public int PreviewEvery { get; init; }

    /// <summary>The request as the options of a synthesis of one image.</summary>
    /// <param name="defaults">For what the request leaves open.</param>
    /// <exception cref="InvalidOptionsException">Lists every fault.</exception>
    public SynthesisOptions Options(SynthesisOptions defaults)
    {
        ArgumentNullException.ThrowIfNull(defaults);
        if (Mask is null) throw new InvalidOptionsException(
            "mask is missing: give {\"png\":…} or {\"bits\":…,\"width\":…,\"height\":…}.");
        if (Start is SampleStart.Paste or SampleStart.Inpaint)
            throw new InvalidOptionsException(
                $"start {Start.ToString().ToLowerInvariant()} joins two pairs, and a request holds one. Choose noise or real.");
        if (Number < 0) throw new InvalidOptionsException($"number is {Number}; it can't be negative.");
        if (PreviewEvery < 0) throw new InvalidOptionsException(
            $"previewEvery is {PreviewEvery}; it can't be negative (0 is none).");
        if (string.IsNullOrEmpty(Id)) throw new InvalidOptionsException("id is empty; it names the mask.");
        var options = defaults with
        {
            Seed = Seed, Start = Start, Strength = Strength, ImageWeight = ImageWeight, Prompt = Prompt ?? defaults.Prompt ?? "",
            Sampler = Sampler ?? defaults.Sampler, Steps = Steps ?? defaults.Steps, Guidance = Guidance ?? defaults.Guidance,
        };
        options.Validate();
        if (options.NeedsImages && Image is null)
            throw new InvalidOptionsException($"image is missing, which {options.WhyImages} needs.");
        return options;
    }
}

/// <summary>A mask within a line: the bytes of an image file, or one bit a pixel.</summary>
internal sealed record MaskBytes
{
    /// <summary>An image file, read as masks are read from a folder.</summary>
    public byte[]? Png { get; init; }

    /// <summary>Pixel i is bit i mod 8, counted from the lowest, of byte i / 8; rows follow each other without padding.</summary>
    public byte[]? Bits { get; init; }

    /// <summary>Of the bits, in pixels.</summary>
    public int Width { get; init; }

    /// <summary>Of the bits, in pixels.</summary>
    public int Height { get; init; }

    /// <summary>What a mask file would store.</summary>
    /// <param name="classes">Bits mark the first class after the background.</param>
    /// <exception cref="InvalidDatasetException">It is no image, or the bits don't fit the size.</exception>
    public GreyImage Levels(ClassTable? classes)
    {
        if (Png is null == Bits is null) throw new InvalidDatasetException("mask: give either png or bits.");
        if (Png is not null) return ImageFile.DecodeMaskLevels("mask", Png);
        var mask = PackedMask.Unpack(Bits!, new ImageSize(Width, Height));
        var (off, on) = classes is null ? ((byte)0, (byte)255) : (classes.Classes[0].Level, classes.Classes[1].Level);
        return new(mask.Size, Array.ConvertAll(mask.Labels, l => l == 0 ? off : on), Lossless: true)
        {
            Numbers = true, Largest = on, Distinct = 2,
        };
    }
}
