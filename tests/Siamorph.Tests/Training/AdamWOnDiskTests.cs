using Siamorph.Training.Optimizers;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Tests.Training;

public sealed class AdamWOnDiskTests : IDisposable
{
    private static readonly long[][] Shapes = [[7], [3, 5], [4, 3, 3, 3], []];
    private readonly TemporaryFolder _folder = new();
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Steps_GiveTheSameBits_AsInMemory()
    {
        var (one, other) = (Parameters(), Parameters());
        using var memory = new AdamW(Named(one), new AdamWOptions());
        using var disk = OnDisk(other);
        Train(memory, one, 0, 6);
        Train(disk, other, 0, 6);
        AssertSame(one, other);
        AssertSame(memory.State(), disk.State());
        Assert.Equal(0, disk.State().Read("p1.step").item<float>()); // had no gradient
    }

    [Fact]
    public void State_GoesFromOneToTheOther()
    {
        var (one, other) = (Parameters(), Parameters());
        using var memory = new AdamW(Named(one), new AdamWOptions());
        using var disk = OnDisk(other);
        Train(memory, one, 0, 3);
        Train(disk, other, 0, 3);
        using var resumed = new AdamW(Named(other), new AdamWOptions());
        resumed.Load(disk.State());
        using var stored = OnDisk(one, "other.moments");
        stored.Load(memory.State());
        Train(resumed, other, 3, 5);
        Train(stored, one, 3, 5);
        AssertSame(one, other);
        Assert.Contains("p2.exp_avg", Assert.Throws<WeightsMismatchException>(() =>
            stored.Load(new WeightTable(memory.State().Entries.Where(e => e.Name != "p2.exp_avg")))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void File_HasTheSizeOfTheMoments_AndGoesWithTheOptimizer()
    {
        using (OnDisk(Parameters())) Assert.Equal(2 * 4 * (7 + 15 + 108 + 1), new FileInfo(_folder["optimizer.moments"]).Length);
        Assert.False(File.Exists(_folder["optimizer.moments"]));
    }

    [Fact]
    public void FileThatCannotBe_IsNamed_AndTheWayOut()
    {
        File.WriteAllText(_folder["file"], "");
        var fault = Assert.Throws<SiamorphException>(() =>
            new AdamWOnDisk(Named(Parameters()), new AdamWOptions(), _folder["file", "optimizer.moments"]));
        Assert.StartsWith(_folder["file", "optimizer.moments"], fault.Message, StringComparison.Ordinal);
        Assert.Contains("--optimizer-state memory", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Step_LeavesNoTensorBehind()
    {
        var parameters = Parameters();
        using var optimizer = OnDisk(parameters);
        Train(optimizer, parameters, 0, 1);
        var before = TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        optimizer.Step(1e-2);
        Assert.Equal(before, TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    private AdamWOnDisk OnDisk(Tensor[] parameters, string name = "optimizer.moments") =>
        new(Named(parameters), new AdamWOptions(), _folder[name]);

    private static void Train(IOptimizer optimizer, Tensor[] parameters, int from, int to)
    {
        for (var step = from; step < to; step++)
        {
            optimizer.ZeroGrad();
            using var generator = new Seed(99).Derive(step).Generator();
            foreach (var parameter in parameters) parameter.grad = randn(parameter.shape, generator: generator);
            parameters[1].grad = null;
            optimizer.Step(1e-2);
        }
    }

    private static Tensor[] Parameters()
    {
        using var generator = new Seed(1).Generator();
        return [.. Shapes.Select(s => new TorchSharp.Modules.Parameter(randn(s, generator: generator)))];
    }

    private static List<(string, Tensor)> Named(Tensor[] parameters) => [.. parameters.Select((p, i) => ($"p{i}", p))];

    private static void AssertSame(Tensor[] expected, Tensor[] actual)
    {
        for (var i = 0; i < expected.Length; i++) Assert.True(expected[i].equal(actual[i]).all().item<bool>(), $"p{i}");
    }

    private static void AssertSame(WeightTable expected, WeightTable actual)
    {
        Assert.Equal(expected.Names, actual.Names);
        AssertSame([.. expected.Entries.Select(e => e.Read())], [.. actual.Entries.Select(e => e.Read())]);
    }
}
