using System.Runtime.InteropServices;
using System.Text;
using Siamorph.Segmentation.Networks;
using static TorchSharp.torch;

namespace Siamorph.Segmentation.Onnx;

/// <summary>
/// An ONNX model under construction: operations as a network computes them, and the tensors they read. What was not
/// computed here, weights above all, becomes a constant.
/// </summary>
internal sealed class OnnxGraph : IGraphRecorder
{
    private const long Float32 = 1, Int64 = 7; // TensorProto's data types
    private readonly ProtobufWriter _nodes = new(), _constants = new();
    private readonly Dictionary<Tensor, string> _names = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<string, string> _numbers = [];
    private int _count;

    /// <summary>Starts with the input and with what the network's tensors are to be called.</summary>
    public OnnxGraph(Tensor input, string inputName, IEnumerable<KeyValuePair<string, Tensor>> weights)
    {
        _names[input] = inputName;
        foreach (var (key, tensor) in weights) Known.TryAdd(tensor, key);
    }

    private Dictionary<Tensor, string> Known { get; } = new(ReferenceEqualityComparer.Instance);

    /// <inheritdoc/>
    public void Add(string operation, object?[] inputs, (string Name, object Value)[] attributes, Tensor result)
    {
        var names = inputs.Select(NameOf).ToList();
        while (names.Count > 0 && names[^1].Length == 0) names.RemoveAt(names.Count - 1);
        var output = $"t{_count++}";
        _nodes.Message(1, node =>
        {
            foreach (var name in names) node.Text(1, name);
            node.Text(2, output);
            node.Text(3, $"{operation}_{output}");
            node.Text(4, operation);
            foreach (var (name, value) in attributes) node.Message(5, a => Attribute(a, name, value));
        });
        _names[result] = output;
    }

    /// <summary>The whole model: one input, and the named results.</summary>
    /// <param name="input">Name and sizes of the input; the first is left open.</param>
    /// <param name="outputs">Tensors that were computed, by the names they get, with as many open sizes.</param>
    /// <param name="metadata">Free text by key.</param>
    public byte[] Model((string Name, long[] Shape) input, IReadOnlyList<(string Name, Tensor Tensor)> outputs,
        IReadOnlyDictionary<string, string> metadata)
    {
        foreach (var (name, tensor) in outputs)
        {
            var computed = NameOf(tensor);
            _nodes.Message(1, node =>
            {
                node.Text(1, computed);
                node.Text(2, name);
                node.Text(4, "Identity");
            });
        }
        var model = new ProtobufWriter();
        model.Number(1, 9); // intermediate representation
        model.Text(2, "Siamorph");
        model.Message(7, graph =>
        {
            graph.Append(_nodes);
            graph.Text(2, "segmentation");
            graph.Append(_constants);
            graph.Message(11, v => Value(v, input.Name, input.Shape));
            foreach (var (name, tensor) in outputs) graph.Message(12, v => Value(v, name, tensor.shape));
        });
        model.Message(8, set => set.Number(2, 20)); // operator set
        foreach (var (key, value) in metadata)
        {
            model.Message(14, entry =>
            {
                entry.Text(1, key);
                entry.Text(2, value);
            });
        }
        return model.ToArray();
    }

    private string NameOf(object? input)
    {
        switch (input)
        {
            case null:
                return "";
            case Tensor tensor:
                if (_names.TryGetValue(tensor, out var name)) return name;
                return _names[tensor] = Constant(
                    Known.TryGetValue(tensor, out var key) ? key : $"constant{_count++}", tensor.shape, Float32, Bytes(tensor));
            case long[] numbers:
                var text = string.Join(',', numbers);
                return _numbers.TryGetValue(text, out var known)
                    ? known
                    : _numbers[text] = Constant($"numbers{_numbers.Count}", [numbers.Length], Int64,
                    MemoryMarshal.AsBytes(numbers.AsSpan()).ToArray());
            default:
                throw new ArgumentException($"{input.GetType()} is no operand.", nameof(input));
        }
    }

    private static byte[] Bytes(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return tensor.detach().to_type(ScalarType.Float32).contiguous().bytes.ToArray();
    }

    private string Constant(string name, long[] shape, long type, byte[] bytes)
    {
        _constants.Message(5, tensor =>
        {
            foreach (var size in shape) tensor.Number(1, size);
            tensor.Number(2, type);
            tensor.Text(8, name);
            tensor.Bytes(9, bytes);
        });
        return name;
    }

    private static void Attribute(ProtobufWriter writer, string name, object value)
    {
        writer.Text(1, name);
        switch (value)
        {
            case double number:
                writer.Single(2, (float)number);
                writer.Number(20, 1);
                break;
            case long number:
                writer.Number(3, number);
                writer.Number(20, 2);
                break;
            case string text:
                writer.Bytes(4, Encoding.UTF8.GetBytes(text));
                writer.Number(20, 3);
                break;
            case long[] numbers:
                foreach (var number in numbers) writer.Number(8, number);
                writer.Number(20, 7);
                break;
            default:
                throw new ArgumentException($"{value.GetType()} is no attribute.", nameof(value));
        }
    }

    // A float32 tensor; the batch is open.
    private static void Value(ProtobufWriter writer, string name, long[] shape)
    {
        writer.Text(1, name);
        writer.Message(2, type => type.Message(1, tensor =>
        {
            tensor.Number(1, Float32);
            tensor.Message(2, dimensions =>
            {
                dimensions.Message(1, d => d.Text(2, "batch"));
                foreach (var size in shape.Skip(1)) dimensions.Message(1, d => d.Number(1, size));
            });
        }));
    }
}
