using Siamorph.Acceleration;
using Siamorph.Siamese;
using TorchSharp;
using static TorchSharp.torch;

namespace Siamorph.Tests.Siamese;

public sealed class GuidedDenoiserTests : IDisposable
{
    private readonly SiameseModel _model = SmallSetting.ModelWithoutZeros();
    private readonly int _threads = get_num_threads();

    public void Dispose()
    {
        set_num_threads(_threads);
        _model.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.5)]
    public void OneSample_OnTwoThreads_IsThatOfOneThread_AndOfABatch(double imageWeight)
    {
        using var scope = NewDisposeScope();
        var (x, hint, image, context) = Inputs();
        Tensor Predicted(int threads, long samples)
        {
            set_num_threads(threads);
            Tensor Of(Tensor t) => t.narrow(0, 0, samples);
            using var noGrad = no_grad();
            using var denoiser = new GuidedDenoiser(_model, Of(hint), Of(context), Of(context),
                new GuidanceOptions { Kind = GuidanceKind.Mask, Scale = 2 },
                imageWeight > 0 ? new ImageHint(Of(image), imageWeight) : null);
            denoiser.Predict(Of(x), 700).Dispose(); // the second prediction takes weights that are kept
            return denoiser.Predict(Of(x), 300).narrow(0, 0, 1);
        }

        var (alone, together, batch) = (Predicted(1, 1), Predicted(2, 1), Predicted(2, 3));
        set_num_threads(2);
        Assert.Equal(KernelUse.IsOn, SideBySide.Pays(x.narrow(0, 0, 1)));
        Assert.False(SideBySide.Pays(x));
        var size = alone.abs().max().item<float>();
        Assert.InRange((together - alone).abs().max().item<float>(), 0, 2e-5f * size);
        Assert.InRange((batch - alone).abs().max().item<float>(), 0, 2e-5f * size);
    }

    [Fact]
    public void OneSample_LeavesNoTensorBehind_AndFailsInWords()
    {
        using var scope = NewDisposeScope();
        var (x, hint, _, context) = Inputs();
        var (one, two) = (x.narrow(0, 0, 1), hint.narrow(0, 0, 1));
        set_num_threads(2);
        using var denoiser = new GuidedDenoiser(_model, two, context.narrow(0, 0, 1), context.narrow(0, 0, 1),
            new GuidanceOptions { Kind = GuidanceKind.Mask, Scale = 2 });
        denoiser.Predict(one, 700).Dispose();
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        denoiser.Predict(one, 300).Dispose();
        // What the other thread made counts there, and is let go here.
        Assert.InRange(DisposeScopeManager.Statistics.ThreadTotalLiveCount, 0, before);
        Assert.ThrowsAny<Exception>(() => denoiser.Predict(one.narrow(1, 0, 3), 300)); // channels are missing: no thread hangs
    }

    [Fact]
    public void OneSample_OfNetworksIn16Bits_IsPredictedToo()
    {
        using var scope = NewDisposeScope();
        var (x, hint, _, context) = Inputs();
        _model.to(ScalarType.BFloat16);
        set_num_threads(2);
        using var noGrad = no_grad();
        using var denoiser = new GuidedDenoiser(_model, hint.narrow(0, 0, 1).to(ScalarType.BFloat16),
            context.narrow(0, 0, 1).to(ScalarType.BFloat16), context.narrow(0, 0, 1).to(ScalarType.BFloat16),
            new GuidanceOptions { Kind = GuidanceKind.Mask, Scale = 2 });
        var prediction = denoiser.Predict(x.narrow(0, 0, 1), 300);
        Assert.Equal(ScalarType.Float32, prediction.dtype);
        Assert.True(prediction.isfinite().all().item<bool>());
    }

    // Three samples, all different.
    private static (Tensor X, Tensor Hint, Tensor Image, Tensor Context) Inputs()
    {
        var (size, network) = (8L, SmallSetting.Options.Network);
        using var generator = new Seed(3).Generator();
        return (randn([3, network.LatentChannels, size, size], generator: generator),
            rand([3, 3, 4 * size, 4 * size], generator: generator).round(),
            rand([3, 3, 4 * size, 4 * size], generator: generator),
            randn([3, 4, network.ContextWidth], generator: generator));
    }
}
