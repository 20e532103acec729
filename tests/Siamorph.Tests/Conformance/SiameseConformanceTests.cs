using System.Text.Json;
using System.Text.Json.Nodes;
using Siamorph.Diffusion;
using Siamorph.Siamese;
using static TorchSharp.torch;

namespace Siamorph.Tests.Conformance;

public class SiameseConformanceTests
{
    private static readonly Dictionary<string, string> Terms = new()
    {
        ["mask"] = "mask", ["image"] = "image", ["mask2image"] = "consistency", ["reg"] = "augmentation",
    };

    private static readonly ForwardProcess Process = new(new NoiseSchedule(new ScheduleOptions()), PredictionType.Epsilon);

    [Fact]
    public void Losses_EqualReference_InEveryScenario()
    {
        using var scope = NewDisposeScope();
        var golden = DiffusionFixtures.Tensors("losses_A.safetensors");
        using var model = DiffusionFixtures.Model("A");
        foreach (var (name, scenario) in Scenarios())
        {
            using var inner = NewDisposeScope();
            var result = Run(model, golden, scenario, new SiameseLossOptions());
            DiffusionFixtures.AssertClose(golden[$"{name}.x_noisy"], result.NoisyLatent, 1e-6, $"{name} x_t");
            DiffusionFixtures.AssertClose(golden[$"{name}.eps_mask"], result.MaskPrediction, 3e-5, $"{name} ε_m");
            DiffusionFixtures.AssertClose(golden[$"{name}.eps_image"], result.ImagePrediction!, 3e-5, $"{name} ε_mix");
            CompareTerms(name, scenario, result);
            if (result.AugmentedIndices is { } index)
            {
                DiffusionFixtures.AssertClose(golden[$"{name}.x0_recon"].index_select(0, index), result.Restored!, 1e-4,
                    $"{name} x̂0");
                DiffusionFixtures.AssertClose(golden[$"{name}.x_noisy_recon"].index_select(0, index), result.Renoised!, 1e-4,
                    $"{name} x'_t");
                DiffusionFixtures.AssertClose(golden[$"{name}.eps_mask_recon"].index_select(0, index),
                    result.AugmentedPrediction!, 3e-5, $"{name} ε'");
            }
        }
    }

    [Fact]
    public void Gradients_OfEveryParameter_EqualReference()
    {
        using var scope = NewDisposeScope();
        var golden = DiffusionFixtures.Tensors("losses_A.safetensors");
        using var model = DiffusionFixtures.Model("A");
        model.FreezeEncoder();
        foreach (var (name, scenario) in Scenarios())
        {
            CompareGradients(model, golden, name, scenario, "total", new SiameseLossOptions());
            foreach (var term in scenario["terms"]!.AsObject().Select(t => t.Key))
                CompareGradients(model, golden, name, scenario, term, Only(term));
        }
    }

    private static void CompareTerms(string name, JsonNode scenario, SiameseStepResult result)
    {
        var scalars = result.ToScalars(new SiameseLossOptions());
        foreach (var (term, value) in scenario["terms"]!.AsObject())
            AssertRelative((double)value!, scalars[Terms[term]], 5e-6, $"{name} {term}");
        AssertRelative((double)scenario["total"]!, scalars["total"], 5e-6, $"{name} total");
        foreach (var (term, values) in scenario["per_sample"]!.AsObject().Where(t => t.Key != "reg"))
        {
            var actual = result.PerSample[Terms[term]].data<float>().ToArray();
            var expected = values.Deserialize<double[]>()!;
            for (var i = 0; i < expected.Length; i++)
                AssertRelative(expected[i], actual[i], 1e-5, $"{name} {term} of sample {i}");
        }
    }

    private static void CompareGradients(
        SiameseModel model, Dictionary<string, Tensor> golden, string name, JsonNode scenario, string term,
        SiameseLossOptions options)
    {
        using var scope = NewDisposeScope();
        model.zero_grad();
        Run(model, golden, scenario, options).Backward();
        var norms = scenario["grad_norms"]![term]!.AsObject();
        Assert.NotEmpty(norms);
        foreach (var (key, parameter) in model.named_parameters())
        {
            var expected = norms[key] is { } norm ? (double)norm : 0;
            var actual = parameter.grad is { } gradient ? gradient.norm().item<float>() : 0;
            Assert.True(Math.Abs(actual - expected) <= 1e-4 * Math.Max(expected, 1e-4),
                $"{name} {term} {key}: gradient norm {actual}, due {expected}");
            if (!golden.TryGetValue($"{name}.grad.{term}.{key}", out var whole)) continue;
            var tensor = parameter.grad ?? zeros_like(parameter);
            DiffusionFixtures.AssertClose(whole, tensor, 5e-6, $"{name} {term} {key}");
            if (whole.abs().max().item<float>() > 1e-4f)
                Assert.True(DiffusionFixtures.RelativeL2(tensor, whole) <= 5e-5, $"{name} {term} {key}: relative L2 too large");
        }
    }

    private static SiameseLossOptions Only(string term) => new()
    {
        Mask = term == "mask" ? 1 : 0,
        Image = term == "image" ? 1 : 0,
        Consistency = term == "mask2image" ? 1 : 0,
        Augmentation = term == "reg" ? 1 : 0,
    };

    private static SiameseStepResult Run(
        SiameseModel model, Dictionary<string, Tensor> golden, JsonNode scenario, SiameseLossOptions options)
    {
        var batch = new SiameseBatch(
            golden["x_start"], golden["noise"], tensor(scenario["t"].Deserialize<long[]>()!), golden["context"],
            golden["hint_mask"].to(float32), golden["hint_image"].to(float32));
        return new SiameseStep(model, Process, options).Run(batch, (long)scenario["global_step"]!, (long)scenario["max_steps"]!);
    }

    private static IEnumerable<(string Name, JsonNode Scenario)> Scenarios() =>
        DiffusionFixtures.Json("losses_A.json")["scenarios"]!.AsObject().Select(s => (s.Key, s.Value!));

    private static void AssertRelative(double expected, double actual, double tolerance, string what) =>
        Assert.True(Math.Abs(expected - actual) <= tolerance * Math.Max(Math.Abs(expected), 0.01),
        $"{what}: {actual}, due {expected}");
}
