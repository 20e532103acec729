using System.Diagnostics;
using Siamorph.Data;
using Siamorph.Imaging;
using Siamorph.Siamese;
using static TorchSharp.torch;

namespace Siamorph.Synthesis;

/// <summary>
/// A model that stays loaded and draws one image after another: with the same id, number, seed and settings the pixels that
/// <see cref="Synthesizer"/> draws. For one thread.
/// </summary>
internal sealed class SynthesisSession : IDisposable
{
    private readonly SiamesePipeline _pipeline;
    private readonly SynthesisOptions _defaults;

    /// <summary>Loads the model.</summary>
    /// <param name="model">The run folder that `train` wrote, or weights of the whole model.</param>
    /// <param name="defaults">Device and precision, and what holds where a request doesn't say: sampler, steps, guidance,
    /// prompt.</param>
    /// <exception cref="SiamorphException">The model can't be used, or the options say what each request says for
    /// itself.</exception>
    public SynthesisSession(string model, SynthesisOptions defaults)
    {
        ArgumentNullException.ThrowIfNull(defaults);
        var own = new SynthesisOptions
        {
            Sampling = defaults.Sampling, Sampler = defaults.Sampler, Steps = defaults.Steps, Guidance = defaults.Guidance,
            Prompt = defaults.Prompt,
            Device = defaults.Device, Precision = defaults.Precision, Tokenizer = defaults.Tokenizer,
        };
        if (own != defaults)
            throw new InvalidOptionsException(
                "Masks, seeds, starts and numbers come with each request. Give sampler, steps, guidance, prompt, device and "
                    + "precision alone.");
        _defaults = defaults;
        var place = Placement.Of(defaults.Device, defaults.Precision);
        _pipeline = SiamesePipeline.Open(model, defaults.Tokenizer);
        var sampling = defaults.Resolve(_pipeline.Options.Sampling);
        Model = new(Synthesizer.ModelHash(model, _pipeline), _pipeline.Options.ImageSize, _pipeline.Prompts.Prompts,
            sampling.Sampler, sampling.Steps, sampling.GuidanceScale);
        _pipeline.MoveTo(place);
    }

    /// <summary>What is loaded.</summary>
    public DrawingModel Model { get; }

    /// <summary>Draws one image.</summary>
    /// <param name="request">Which.</param>
    /// <param name="preview">Given a preview as often as the request wants it.</param>
    /// <param name="stop">Ends the drawing after a step.</param>
    /// <exception cref="SiamorphException">The request can't be met.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public DrawAnswer Draw(DrawRequest request, Action<DrawAnswer> preview, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(preview);
        var clock = Stopwatch.StartNew();
        var options = request.Options(_defaults);
        var classes = request.Classes is null ? null : new ClassTable(request.Classes, "classes");
        var start = Start(request, options, classes);
        var sampling = options.Resolve(_pipeline.Options.Sampling);
        var planned = PlannedPair.Of(
            [new() { Id = request.Id, ImagePath = "", MaskPath = "" }], (0, request.Number), options,
            options.NeedsModel ? (Model.Hash, sampling.SamplerName, sampling.Steps, sampling.GuidanceScale)
                : ("none", "none", 0, 1));
        using var heap = NoCollectionRegion.Enter();
        var image = options.NeedsModel ? Sample(request, (start, classes), (options, sampling), planned.Seed, preview, stop)
            : start.Image!;
        heap.StepDone();
        return new()
        {
            Request = request.Request?.DeepClone(), Pair = planned.Id, Prompt = planned.Prompt, Origin = planned.Origin with
            {
                Host = start.Host,
            },
            Image = ImageFile.EncodePng(image), Mask = Synthesizer.EncodeMask(start.Mask, IsSoft, classes),
            Seconds = Math.Round(clock.Elapsed.TotalSeconds, 3),
        };
    }

    /// <summary>Frees the model.</summary>
    public void Dispose() => _pipeline.Dispose();

    private bool IsSoft => _pipeline.Options.LabelReading.IsSoft;

    private ImageSize Size => new(Model.ImageSize, Model.ImageSize);

    private StartImage Start(DrawRequest request, SynthesisOptions options, ClassTable? classes)
    {
        var levels = request.Mask!.Levels(classes);
        var mask = IsSoft
            ? MaskSource.Soft(SoftMask.Of(levels, classes, "mask", _pipeline.Options.LabelReading.BoundaryWidth), Size)
            : Resize.Mask(classes is null ? MaskLevels.Binarise(levels) : classes.Labels(levels, "mask"), Size);
        if (!options.NeedsImages) return new(mask, "none");
        return new(mask, "none")
        {
            Image = Resize.Image(ImageFile.DecodeRgb("image", request.Image!), Size), Host = request.Host ?? request.Id,
        };
    }

    private RgbImage Sample(
        DrawRequest request, (StartImage Picture, ClassTable? Classes) start,
        (SynthesisOptions Options, SamplingOptions Sampling) how,
        Seed seed, Action<DrawAnswer> preview, CancellationToken stop)
    {
        using var scope = NewDisposeScope();
        var hint = stack([Synthesizer.Hint(start.Picture.Mask, IsSoft, start.Classes)]);
        var images = new MaskDiffusionSampler(_pipeline, how.Sampling).Sample(
            hint, [how.Options.Prompt!], [seed], Watch, Synthesizer.StartImages([start.Picture], how.Options));
        return ImageTensor.ToRgb(images[0]);

        void Watch(SampleProgress progress)
        {
            stop.ThrowIfCancellationRequested();
            if (request.PreviewEvery == 0 || progress.Done % request.PreviewEvery != 0 || progress.Done == progress.Steps) return;
            using var inner = NewDisposeScope();
            var estimate = ImageTensor.ToRgb(progress.Estimate()[0]);
            preview(new()
            {
                Request = request.Request?.DeepClone(), Preview = ImageFile.EncodePng(estimate), Done = progress.Done,
                Steps = progress.Steps,
            });
            NoCollectionRegion.Pause();
        }
    }
}
