namespace Siamorph.Experiment.Scheduling;

/// <summary>
/// Further processes for an experiment. Processes, because training loops of one process would wait for each other's garbage
/// collections (docs/decisions/0008); each calls <see cref="ExperimentRunner.Assist(string, IMonitor)"/>.
/// </summary>
/// <param name="Size">Processes in all, the one that leads included; 2 or more.</param>
/// <param name="Start">Starts all but the leader on an experiment's folder; disposing what it returns stops them and waits for
/// their end.</param>
internal sealed record WorkerPool(int Size, Func<string, IDisposable> Start);
