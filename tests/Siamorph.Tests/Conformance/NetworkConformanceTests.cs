using static TorchSharp.torch;

namespace Siamorph.Tests.Conformance;

public class NetworkConformanceTests
{
    private const double Tolerance = 2e-5;

    [Theory]
    [InlineData("A")]
    [InlineData("B")]
    public void DenseHintInput_EqualsReference(string which)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var golden = DiffusionFixtures.Tensors("dhi.safetensors");
        using var model = DiffusionFixtures.Model(which);
        foreach (var hint in golden.Keys.Where(k => k.StartsWith("hint_", StringComparison.Ordinal)))
        {
            var key = $"{which}.out_{hint["hint_".Length..]}";
            DiffusionFixtures.AssertClose(golden[key], model.ControlNet.HintFeatures(golden[hint].to(float32)), Tolerance, key);
        }
    }

    [Theory]
    [InlineData("A")]
    [InlineData("B")]
    public void UNet_EqualsReference(string which)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var golden = DiffusionFixtures.Tensors($"unet_{which}.safetensors");
        using var model = DiffusionFixtures.Model(which);
        var (x, t, context) = (golden["x"], golden["t"], golden["context"]);
        var encoded = model.UNet.Encode(x, t, context);
        for (var i = 0; i < encoded.Skips.Count; i++)
            DiffusionFixtures.AssertClose(golden[$"nocontrol.act.input_blocks.{i}"], encoded.Skips[i].narrow(0, 0, 1), Tolerance,
                $"input block {i}");
        DiffusionFixtures.AssertClose(golden["nocontrol.act.middle_block"], encoded.Middle.narrow(0, 0, 1), Tolerance, "middle");
        DiffusionFixtures.AssertClose(golden["out_nocontrol"], model.UNet.Decode(encoded, context), Tolerance, "without control");

        var control = Control(golden, "control.");
        DiffusionFixtures.AssertClose(golden["out_control"], model.UNet.Decode(encoded, context, control), Tolerance,
            "with control");
        var middleOnly = control.Select((c, i) => i == control.Count - 1 ? c : zeros_like(c)).ToList();
        DiffusionFixtures.AssertClose(golden["out_control_only_mid"], model.UNet.Decode(encoded, context, middleOnly), Tolerance,
            "middle control only");
    }

    [Theory]
    [InlineData("A")]
    [InlineData("B")]
    public void ControlNet_EqualsReference(string which)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var golden = DiffusionFixtures.Tensors($"controlnet_{which}.safetensors");
        using var model = DiffusionFixtures.Model(which);
        var (x, t, context) = (golden["x"], golden["t"], golden["context"]);
        foreach (var hint in new[] { "mask", "image" })
        {
            var features = model.ControlNet.HintFeatures(golden[$"hint_{hint}"].to(float32));
            if (golden.TryGetValue($"guided_hint_{hint}", out var guided))
                DiffusionFixtures.AssertClose(guided, features, Tolerance, $"hint features of the {hint}");
            var residuals = model.ControlNet.Residuals(x, features, t, context);
            var expected = Control(golden, $"out_{hint}.");
            Assert.Equal(expected.Count, residuals.Count);
            for (var i = 0; i < expected.Count; i++)
                DiffusionFixtures.AssertClose(expected[i], residuals[i], Tolerance, $"residual {i} of the {hint}");
            if (hint != "mask") continue;
            var encoded = model.UNet.Encode(x, t, context);
            DiffusionFixtures.AssertClose(golden["eps_apply_model_mask"], model.UNet.Decode(encoded, context, residuals),
                Tolerance, "ε under the mask");
            DiffusionFixtures.AssertClose(golden["eps_apply_model_nohint"], model.UNet.Decode(encoded, context), Tolerance,
                "ε without hint");
        }
    }

    private static List<Tensor> Control(Dictionary<string, Tensor> golden, string prefix) =>
        [.. Enumerable.Range(0, golden.Count).TakeWhile(i => golden.ContainsKey($"{prefix}{i}"))
        .Select(i => golden[$"{prefix}{i}"])];
}
