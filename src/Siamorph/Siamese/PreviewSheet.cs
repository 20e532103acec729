using Siamorph.Data;
using Siamorph.Imaging;
using static TorchSharp.torch;

namespace Siamorph.Siamese;

/// <summary>A sheet of what the model draws at the moment: each sample with its mask's outline beside the real image.</summary>
internal static class PreviewSheet
{
    private const int Columns = 8;
    private const int ShownSize = 128;
    private static readonly (byte, byte, byte) Outline = (64, 255, 96);

    /// <summary>Draws from evenly spaced masks of the data, always with the same noise, and writes a PNG.</summary>
    public static void Write(SiamesePipeline pipeline, PairedDataset data, string path)
    {
        using var scope = NewDisposeScope();
        var count = Math.Min(pipeline.Options.PreviewCount, data.Count);
        if (count == 0) return;
        var indices = Enumerable.Range(0, count).Select(i => i * data.Count / count).ToArray();
        var labels = indices.Select(i => new LabelMap(data.Size, data.Masks[i].bytes.ToArray())).ToList();
        var masks = stack([.. indices.Select(data.Hint)]);
        var images = new MaskDiffusionSampler(pipeline, pipeline.Options.Sampling).Sample(
            masks, [.. indices.Select(i => data.Pairs[i].Prompt)],
            [.. indices.Select(i => pipeline.Options.Seed.Derive("preview").Derive(i))]);
        var scale = Math.Max(1, ShownSize / (int)masks.shape[3]);
        var cells = new List<RgbImage>();
        for (var k = 0; k < count; k++)
        {
            var mask = labels[k];
            cells.Add(ContactSheet.WithOutline(ImageTensor.ToRgb(data.Images[indices[k]].to(float32) / 127.5f - 1), mask,
                Outline, scale));
            cells.Add(ContactSheet.WithOutline(ImageTensor.ToRgb(images[k]), mask, Outline, scale));
        }
        ImageFile.WritePng(path, ContactSheet.Grid(cells, Columns, 2));
    }
}
