using Siamorph.Models.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace Siamorph.Tests.Models;

public class PromptTableTests
{
    [Fact]
    public void Moved_ItsTokensAreTheParametersThatAreTrained()
    {
        using var scope = NewDisposeScope();
        using var table = new PromptTable(["polyp"], length: 2, width: 4, new Seed(1));
        var before = table.Encode(["polyp"]).to(float64);
        table.to(ScalarType.Float64); // replaces the parameter, as another device does
        var tokens = table.Encode(["polyp"]);
        Assert.Equal(ScalarType.Float64, tokens.dtype);
        Assert.Equal(0, (tokens - before).abs().max().item<double>());
        tokens.sum().backward();
        Assert.Equal([0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1],
            table.parameters().Single().grad!.flatten().data<double>().ToArray());
    }
}
