using System.Globalization;
using System.Text.RegularExpressions;
using Siamorph.Diffusion;
using Siamorph.Siamese;
using static TorchSharp.torch;

namespace Siamorph.Tests.Conformance;

public partial class DdimConformanceTests
{
    private const double Absolute = 1e-3;
    private const double RelativeL2 = 3e-5;

    [Fact]
    public void Sampling_FollowsReferencePaths()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var golden = DiffusionFixtures.Tensors("ddim_A.safetensors");
        using var model = DiffusionFixtures.Model("A");
        var cases = golden.Keys.Select(k => CasePattern().Match(k)).Where(m => m.Success).ToList();
        Assert.NotEmpty(cases);
        foreach (var match in cases)
        {
            var prefix = match.Groups[1].Value;
            var steps = int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture);
            var options = new DdimOptions
            {
                Steps = steps, Eta = double.Parse(match.Groups[3].Value, CultureInfo.InvariantCulture),
            };
            Compare(golden, model, prefix, options, float.Parse(match.Groups[4].Value, CultureInfo.InvariantCulture));
        }
    }

    private static void Compare(Dictionary<string, Tensor> golden, SiameseModel model, string prefix, DdimOptions options,
        float scale)
    {
        using var scope = NewDisposeScope();
        var sampler = new DdimSampler(
            new ForwardProcess(new NoiseSchedule(new ScheduleOptions()), PredictionType.Epsilon), options);
        using var denoiser = new GuidedDenoiser(
            model, golden["hint_mask"].to(float32), golden["context"], golden["uncond_context"], new GuidanceOptions
            {
                Kind = GuidanceKind.Prompt, Scale = scale,
            });
        var final = sampler.Sample(
            golden["x_T"], denoiser.Predict, k => golden[$"noise_{options.Steps}"][k], watch: p =>
                CompareStep(golden, prefix, p));
        Check(golden[$"{prefix}.final"], final, $"{prefix} final");
    }

    private static void CompareStep(Dictionary<string, Tensor> golden, string prefix, SamplerProgress progress)
    {
        foreach (var (key, value) in new[] { ("x_inter", progress.X), ("pred_x0", progress.CleanLatent),
            ("x_inter_first5", progress.X) })
            if (golden.TryGetValue($"{prefix}.{key}", out var path) && progress.Index + 1 < path.shape[0])
                Check(path[progress.Index + 1], value, $"{prefix} {key}, step {progress.Index}");
    }

    private static void Check(Tensor expected, Tensor actual, string what)
    {
        DiffusionFixtures.AssertClose(expected, actual, Absolute, what);
        Assert.True(DiffusionFixtures.RelativeL2(actual, expected) <= RelativeL2, $"{what}: relative L2 too large");
    }

    [GeneratedRegex(@"^(S(\d+)_eta([\d.]+)_cfg([\d.]+))\.final$")]
    private static partial Regex CasePattern();
}
