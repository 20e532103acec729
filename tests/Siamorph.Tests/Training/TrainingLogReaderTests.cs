using Siamorph.Training;

namespace Siamorph.Tests.Training;

public sealed class TrainingLogReaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly RunFolder _run;
    private readonly TrainingLogReader _reader;

    public TrainingLogReaderTests() => (_run, _reader) = (new(_folder.Path), new(new RunFolder(_folder.Path).LogPath));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Read_WhileTheLogGrows_GivesAllOfIt()
    {
        Assert.Empty(_reader.Read()); // not there yet
        using var log = new TrainingLog(_run, tensorBoard: false);
        Assert.Empty(_reader.Read());
        for (var step = 1; step <= 5; step++)
        {
            log.Add(step, Values(step));
            Assert.Equal(TrainingLog.Read(_run.LogPath).Select(Text), _reader.Read().Select(Text));
        }
        Assert.Equal(5, _reader.Read().Count);
    }

    [Fact]
    public void Read_OfALineThatIsNotWhole_WaitsForItsEnd()
    {
        Write(1, 2);
        Assert.Equal([1, 2], Steps());
        var line = """{"step":3,"time":"2026-01-01T00:00:00.000Z","loss":0.5}""";
        File.AppendAllText(_run.LogPath, line[..20]);
        Assert.Equal([1, 2], Steps());
        File.AppendAllText(_run.LogPath, line[20..] + "\n");
        Assert.Equal([1, 2, 3], Steps());
    }

    [Theory]
    [InlineData(2)] // shorter than what was read
    [InlineData(9)] // and longer again
    public void Read_AfterTheLogWasWrittenAnew_BeginsAgain(int steps)
    {
        Write(1, 2, 3, 4, 5);
        Assert.Equal([1, 2, 3, 4, 5], Steps());
        using (var log = new TrainingLog(_run, tensorBoard: false, keepThrough: 1))
            for (var step = 2; step <= steps; step++) log.Add(step, Values(100 + step));
        Assert.Equal(TrainingLog.Read(_run.LogPath).Select(Text), _reader.Read().Select(Text));
        Assert.Equal(steps, _reader.Read().Count);
    }

    [Fact]
    public void Read_AfterTheFolderWasRemoved_IsEmpty()
    {
        Write(1, 2);
        Assert.Equal([1, 2], Steps());
        File.Delete(_run.LogPath);
        Assert.Empty(_reader.Read());
    }

    [Fact]
    public void Read_BadLine_IsNamed()
    {
        Write(1, 2);
        _reader.Read();
        File.AppendAllText(_run.LogPath, """{"step":3,"time":"2026-01-01T00:00:00.000Z"}""" + "\nnonsense\n");
        for (var look = 0; look < 2; look++)
            Assert.Contains("line 4 is not a log entry", Assert.Throws<SiamorphException>(() => _reader.Read()).Message,
                StringComparison.Ordinal);
    }

    private IEnumerable<long> Steps() => _reader.Read().Select(e => e.Step);

    private static string Text(LogEntry entry) => $"{entry.Step} {entry.Time:O} {string.Join(',', entry.Values)}";

    private static Dictionary<string, double> Values(double loss) => new() { ["loss"] = loss };

    private void Write(params long[] steps)
    {
        using var log = new TrainingLog(_run, tensorBoard: false);
        foreach (var step in steps) log.Add(step, Values(step));
    }
}
