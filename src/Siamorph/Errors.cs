namespace Siamorph;

/// <summary>Bad input of a user: the message alone says what is wrong, where, and what to do. No stack is shown.</summary>
public class SiamorphException : Exception
{
    /// <summary>Makes an exception whose message a user reads as it is.</summary>
    public SiamorphException(string message) : base(message) { }

    /// <summary>The same, keeping what caused it.</summary>
    public SiamorphException(string message, Exception inner) : base(message, inner) { }
}

/// <summary>A dataset folder, image, mask or manifest that can't be used.</summary>
public sealed class InvalidDatasetException : SiamorphException
{
    /// <inheritdoc cref="SiamorphException(string)"/>
    public InvalidDatasetException(string message) : base(message) { }

    /// <inheritdoc cref="SiamorphException(string, Exception)"/>
    public InvalidDatasetException(string message, Exception inner) : base(message, inner) { }
}

/// <summary>Options that contradict each other, lie outside their range, or are unknown.</summary>
public sealed class InvalidOptionsException : SiamorphException
{
    /// <inheritdoc cref="SiamorphException(string)"/>
    public InvalidOptionsException(string message) : base(message) { }

    /// <summary>Lists every fault, one a line.</summary>
    public InvalidOptionsException(IReadOnlyCollection<string> faults) : base(string.Join(Environment.NewLine, faults)) { }
}

/// <summary>A weight file that is damaged or not of a known format.</summary>
public sealed class WeightsFormatException : SiamorphException
{
    /// <inheritdoc cref="SiamorphException(string)"/>
    public WeightsFormatException(string message) : base(message) { }

    /// <inheritdoc cref="SiamorphException(string, Exception)"/>
    public WeightsFormatException(string message, Exception inner) : base(message, inner) { }
}

/// <summary>Weights whose names or shapes do not fit the model.</summary>
public sealed class WeightsMismatchException : SiamorphException
{
    /// <inheritdoc cref="SiamorphException(string)"/>
    public WeightsMismatchException(string message) : base(message) { }
}

/// <summary>A folder of a reader study that can't be used, or an answer that does not belong there.</summary>
internal sealed class InvalidStudyException : SiamorphException
{
    /// <inheritdoc cref="SiamorphException(string)"/>
    public InvalidStudyException(string message) : base(message) { }
}
