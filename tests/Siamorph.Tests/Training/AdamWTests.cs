using Siamorph.Acceleration;
using Siamorph.Training.Optimizers;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Tests.Training;

public sealed class AdamWTests : IDisposable
{
    private const double LearningRate = 1e-2;
    private static readonly long[][] Shapes = [[7], [3, 5], [4, 3, 3, 3], []];
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void Dispatcher_IsAvailable_WithTheLibraryThatTestsUse() => Assert.True(Dispatcher.IsAvailable);

    [Fact]
    public void Dispatcher_Silu_EqualsTheWrappedOne()
    {
        using var x = linspace(-3, 3, 17);
        using var called = Dispatcher.CallForTensor("aten::silu", "", Dispatcher.Of(x));
        Assert.True(called.equal(nn.functional.silu(x)).all().item<bool>());
    }

    [Fact]
    public void Dispatcher_UnknownOperator_ThrowsAndNamesIt()
    {
        var e = Assert.Throws<InvalidOperationException>(() => Dispatcher.Call("aten::no_such_thing", "", [Dispatcher.None]));
        Assert.Contains("aten::no_such_thing", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Step_ManyTimes_EqualsTorchs(bool fused)
    {
        var (ours, theirs) = (Parameters(1), Parameters(1));
        using var optimizer = new AdamW(Named(ours), new AdamWOptions { WeightDecay = 0.1 }, fused);
        using var reference = optim.AdamW(theirs, LearningRate, weight_decay: 0.1);
        for (var step = 0; step < 20; step++)
        {
            SetGradients(ours, step);
            SetGradients(theirs, step);
            optimizer.Step(LearningRate);
            reference.step();
        }
        AssertClose(theirs, ours, 2e-6);
    }

    [Fact]
    public void Step_FusedAndOrdinary_Agree()
    {
        var (one, other) = (Parameters(2), Parameters(2));
        using var fused = new AdamW(Named(one));
        using var ordinary = new AdamW(Named(other), fused: false);
        for (var step = 0; step < 50; step++)
        {
            SetGradients(one, step);
            SetGradients(other, step);
            fused.Step(1e-3);
            ordinary.Step(1e-3);
        }
        AssertClose(other, one, 2e-6);
    }

    [Fact]
    public void Step_GradientOfOtherLayout_IsStillRight()
    {
        var (one, other) = (Parameters(3), Parameters(3));
        using var optimizer = new AdamW(Named(one));
        using var ordinary = new AdamW(Named(other), fused: false);
        SetGradients(one, 0);
        SetGradients(other, 0);
        one[2].grad = one[2].grad!.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);
        optimizer.Step(LearningRate);
        ordinary.Step(LearningRate);
        AssertClose(other, one, 1e-6);
    }

    [Fact]
    public void Step_ParameterWithoutGradient_IsLeftAlone()
    {
        var parameters = Parameters(4);
        var before = parameters[1].detach().clone();
        using var optimizer = new AdamW(Named(parameters));
        SetGradients(parameters, 0);
        parameters[1].grad = null;
        optimizer.Step(LearningRate);
        Assert.True(before.equal(parameters[1]).all().item<bool>());
        Assert.Equal(0, optimizer.State().Read("p1.step").item<float>());
        Assert.Equal(1, optimizer.State().Read("p0.step").item<float>());
    }

    [Fact]
    public void ZeroGrad_LeavesNone()
    {
        var parameters = Parameters(5);
        using var optimizer = new AdamW(Named(parameters));
        SetGradients(parameters, 0);
        optimizer.ZeroGrad();
        Assert.All(parameters, p => Assert.Null(p.grad));
    }

    [Fact]
    public void Load_OfState_GoesOnBitForBit()
    {
        var (straight, resumed) = (Parameters(6), Parameters(6));
        using var whole = new AdamW(Named(straight));
        using var first = new AdamW(Named(resumed));
        Train(whole, straight, 0, 10);
        Train(first, resumed, 0, 5);

        using var second = new AdamW(Named(resumed));
        second.Load(first.State());
        Train(second, resumed, 5, 10);
        for (var i = 0; i < straight.Length; i++) Assert.True(straight[i].equal(resumed[i]).all().item<bool>());
    }

    [Fact]
    public void Load_MissingMoment_NamesIt()
    {
        using var optimizer = new AdamW(Named(Parameters(7)));
        var state = new WeightTable(optimizer.State().Entries.Where(e => e.Name != "p2.exp_avg"));
        Assert.Contains("p2.exp_avg", Assert.Throws<WeightsMismatchException>(() => optimizer.Load(state)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Step_LeavesNoTensorBehind()
    {
        var parameters = Parameters(8);
        using var optimizer = new AdamW(Named(parameters));
        SetGradients(parameters, 0);
        optimizer.Step(LearningRate);
        var before = TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        optimizer.Step(LearningRate);
        Assert.Equal(before, TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    private static void Train(AdamW optimizer, Tensor[] parameters, int from, int to)
    {
        for (var step = from; step < to; step++)
        {
            optimizer.ZeroGrad();
            SetGradients(parameters, step);
            optimizer.Step(LearningRate);
        }
    }

    private static TorchSharp.Modules.Parameter[] Parameters(ulong seed)
    {
        using var generator = new Seed(seed).Generator();
        return [.. Shapes.Select(s => new TorchSharp.Modules.Parameter(randn(s, generator: generator)))];
    }

    private static List<(string, Tensor)> Named(Tensor[] parameters) => [.. parameters.Select((p, i) => ($"p{i}", p))];

    private static void SetGradients(Tensor[] parameters, int step)
    {
        using var generator = new Seed(99).Derive(step).Generator();
        foreach (var parameter in parameters) parameter.grad = randn(parameter.shape, generator: generator);
    }

    private static void AssertClose(Tensor[] expected, Tensor[] actual, double tolerance)
    {
        for (var i = 0; i < expected.Length; i++)
            Assert.InRange((expected[i] - actual[i]).abs().max().item<float>(), 0, tolerance);
    }
}
