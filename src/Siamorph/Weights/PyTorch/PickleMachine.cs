using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace Siamorph.Weights.PyTorch;

/// <summary>A pickle that can't be read: what is wrong and at which byte.</summary>
internal sealed class PickleException(string message) : Exception(message);

/// <summary>
/// Interprets the stack language of pickles (protocols 0 to 5) without running anything: names and calls are answered by
/// an <see cref="IPickleWorld"/>. Work and memory are bounded by the number of bytes read.
/// </summary>
internal ref struct PickleMachine
{
    private const int MostObjects = 4_000_000;

    private static readonly object Mark = new();

    private readonly ReadOnlySpan<byte> _program;
    private readonly IPickleWorld _world;
    private readonly List<object?> _stack = [];
    private readonly Dictionary<long, object?> _memo = [];
    private int _at;
    private int _pushed;

    private PickleMachine(ReadOnlySpan<byte> program, IPickleWorld world)
    {
        _program = program;
        _world = world;
    }

    /// <summary>Runs one pickle from the start of the bytes.</summary>
    /// <param name="program">The pickle, with or without bytes behind it.</param>
    /// <param name="world">Answers names, calls and persistent ids.</param>
    /// <param name="length">How many bytes it took.</param>
    /// <exception cref="PickleException">The pickle is damaged, beyond the limits, or asks for what the world
    /// refuses.</exception>
    public static object? Run(ReadOnlySpan<byte> program, IPickleWorld world, out int length)
    {
        var machine = new PickleMachine(program, world);
        while (machine.Step()) { }
        length = machine._at;
        return machine._stack is [var result] && !ReferenceEquals(result, Mark)
            ? result
            : throw machine.Fault("ends with more or less than one object");
    }

    private bool Step()
    {
        var op = (char)Byte();
        switch (op)
        {
            case '\x80': if (Byte() > 5) throw Fault("has an unknown protocol"); break;
            case '\x95': Take(8); break; // FRAME: a hint of how far to read
            case '.': return false;
            case '(': Push(Mark); break;
            case '0': Pop(); break;
            case '1': PopToMark(); break;
            case '2': Push(Top()); break;
            case 'N': Push(null); break;
            case '\x88': Push(true); break;
            case '\x89': Push(false); break;
            case 'K': Push((long)Byte()); break;
            case 'M': Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2))); break;
            case 'J': Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4))); break;
            case 'I': Push(Line() switch { "00" => false, "01" => true, var text => Whole(text) }); break;
            case 'L': Push(Whole(Line().TrimEnd('L'))); break;
            case '\x8a': PushWhole(Long(Byte())); break;
            case '\x8b': PushWhole(Long(Count(4))); break;
            case 'F': Push(double.TryParse(Line(), NumberStyles.Float, CultureInfo.InvariantCulture, out var real) ? real
                : throw Fault("has a number that is none")); break;
            case 'G': Push(BinaryPrimitives.ReadDoubleBigEndian(Take(8))); break;
            case 'S': Push(Line().Trim('\'', '"')); break;
            case 'V': Push(Line()); break;
            case 'U': Push(Encoding.Latin1.GetString(Take(Byte()))); break;
            case 'T': Push(Encoding.Latin1.GetString(Take(Count(4)))); break;
            case '\x8c': Push(Text(Byte())); break;
            case 'X': Push(Text(Count(4))); break;
            case '\x8d': Push(Text(Count(8))); break;
            case 'C': Push(Take(Byte()).ToArray()); break;
            case 'B': Push(Take(Count(4)).ToArray()); break;
            case '\x8e' or '\x96': Push(Take(Count(8)).ToArray()); break;
            case ']': Push(new PickleList()); break;
            case '}': Push(new PickleDict()); break;
            case '\x8f': Push(new PickleList()); break; // a set
            case ')': Push(new PickleTuple([])); break;
            case 't': Push(new PickleTuple(PopToMark())); break;
            case '\x85': Push(new PickleTuple(PopMany(1))); break;
            case '\x86': Push(new PickleTuple(PopMany(2))); break;
            case '\x87': Push(new PickleTuple(PopMany(3))); break;
            case '\x91': Push(new PickleTuple(PopToMark())); break; // a frozen set
            case 'l': PushList(PopToMark()); break;
            case 'd': PushDict(PopToMark()); break;
            case 'a': Append([Pop()]); break;
            case 'e' or '\x90': Append(PopToMark()); break;
            case 's': var value = Pop(); SetItems([Pop(), value]); break;
            case 'u': SetItems(PopToMark()); break;
            case 'p': Remember(Line()); break;
            case 'q': _memo[Byte()] = Top(); break;
            case 'r': _memo[BinaryPrimitives.ReadUInt32LittleEndian(Take(4))] = Top(); break;
            case '\x94': _memo[_memo.Count] = Top(); break;
            case 'g': Push(Recall(Whole(Line()))); break;
            case 'h': Push(Recall(Byte())); break;
            case 'j': Push(Recall(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)))); break;
            case 'c': var module = Line(); Push(_world.Named(module, Line())); break;
            case '\x93': PushNamed(); break;
            case 'R' or '\x81': var arguments = Pop(); Push(_world.Called(Pop(), arguments)); break;
            // Keywords are for extras alone
            case '\x92': Pop(); var positional = Pop(); Push(_world.Called(Pop(), positional)); break;
            // An object's attributes hold no tensors
            case 'b': Pop(); if (Top() is PickleName name) throw Fault($"sets attributes of {name.Full}"); break;
            case 'P': Push(_world.Persistent(Line())); break;
            case 'Q': Push(_world.Persistent(Pop())); break;
            default: throw Fault($"has the operation 0x{(int)op:X2}, which stored tensors don't need");
        }
        return true;
    }

    private byte Byte() => Take(1)[0];

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _program.Length - _at) throw Fault("is cut off");
        var taken = _program.Slice(_at, count);
        _at += count;
        return taken;
    }

    private int Count(int width)
    {
        var count = width == 4 ? BinaryPrimitives.ReadUInt32LittleEndian(Take(4))
            : BinaryPrimitives.ReadUInt64LittleEndian(Take(8));
        return count <= (ulong)(_program.Length - _at) ? (int)count
            : throw Fault($"claims an item of {count} bytes, more than there are");
    }

    private string Line()
    {
        var end = _program[_at..].IndexOf((byte)'\n');
        if (end < 0) throw Fault("is cut off");
        var line = Encoding.UTF8.GetString(Take(end)).TrimEnd('\r');
        _at++;
        return line;
    }

    private string Text(int count) => Encoding.UTF8.GetString(Take(count));

    private BigInteger Long(int bytes) => new(Take(bytes));

    private readonly long Whole(string text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number
        : throw Fault("has a number that is none");

    private void Push(object? value)
    {
        if (++_pushed > MostObjects) throw Fault($"has more than {MostObjects} objects");
        _stack.Add(value);
    }

    private void PushWhole(BigInteger number) =>
        Push(number >= long.MinValue && number <= long.MaxValue ? (object)(long)number : number);

    private readonly object? Top() => _stack.Count > 0
        && !ReferenceEquals(_stack[^1], Mark) ? _stack[^1] : throw Fault("takes from an empty stack");

    private readonly object? Pop()
    {
        var top = Top();
        _stack.RemoveAt(_stack.Count - 1);
        return top;
    }

    private readonly object?[] PopMany(int count)
    {
        var items = new object?[count];
        for (var i = count - 1; i >= 0; i--) items[i] = Pop();
        return items;
    }

    private readonly object?[] PopToMark()
    {
        var mark = _stack.FindLastIndex(item => ReferenceEquals(item, Mark));
        if (mark < 0) throw Fault("closes a group that was never opened");
        var items = _stack[(mark + 1)..].ToArray();
        _stack.RemoveRange(mark, _stack.Count - mark);
        return items;
    }

    private void PushList(object?[] items)
    {
        Push(new PickleList());
        Append(items);
    }

    private void PushDict(object?[] items)
    {
        Push(new PickleDict());
        SetItems(items);
    }

    private readonly void Append(object?[] items)
    {
        switch (Top())
        {
            case PickleList list: list.Items.AddRange(items); break;
            case PickleExtra: break;
            default: throw Fault("appends to what is no list");
        }
    }

    private readonly void SetItems(object?[] items)
    {
        if (items.Length % 2 != 0) throw Fault("has a key without a value");
        switch (Top())
        {
            case PickleDict dict: for (var i = 0; i < items.Length; i += 2) dict.Pairs.Add((items[i], items[i + 1])); break;
            case PickleExtra: break;
            default: throw Fault("puts a key into what is no dictionary");
        }
    }

    private readonly void Remember(string key) => _memo[Whole(key)] = Top();

    private readonly object? Recall(long key) =>
        _memo.TryGetValue(key, out var value) ? value : throw Fault($"recalls the object {key}, which it never kept");

    private void PushNamed()
    {
        var name = Pop();
        Push(Pop() is string module && name is string text ? _world.Named(module, text)
            : throw Fault("has a name that is no text"));
    }

    private readonly PickleException Fault(string finding) => new($"the pickle {finding} (byte {_at})");
}
