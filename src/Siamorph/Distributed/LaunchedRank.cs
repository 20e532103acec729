using System.Globalization;

namespace Siamorph.Distributed;

/// <summary>What a launcher says of a process that it has started.</summary>
/// <param name="Launcher">Which one.</param>
/// <param name="Size">Processes in all.</param>
/// <param name="Rank">Number of this one, from 0.</param>
/// <param name="LocalRank">
/// Its number among those of its machine, from 0; always 0 where the launcher lets each process see a single graphics card.
/// </param>
internal sealed record LaunchedRank(MpiLauncher Launcher, int Size, int Rank, int LocalRank)
{
    /// <summary>Reads the launcher's variables.</summary>
    /// <param name="variable">Looks up a variable of the environment; null where there is none.</param>
    /// <returns>Null where no launcher started this process.</returns>
    public static LaunchedRank? Of(Func<string, string?> variable)
    {
        int? Number(string name) => int.TryParse(variable(name), NumberStyles.None, CultureInfo.InvariantCulture,
            out var n) ? n : null;
        int Local(string name) =>
            variable("CUDA_VISIBLE_DEVICES") is { Length: > 0 } cards && !cards.Contains(',') ? 0 : Number(name) ?? 0;
        if (Number("OMPI_COMM_WORLD_SIZE") is { } open)
            return new(MpiLauncher.OpenMpi, open, Number("OMPI_COMM_WORLD_RANK") ?? 0, Local("OMPI_COMM_WORLD_LOCAL_RANK"));
        // A batch script of Slurm has its number of tasks too; only srun makes a step of it.
        if (variable("SLURM_STEP_ID") is not null && Number("SLURM_STEP_NUM_TASKS") is { } tasks)
            return new(MpiLauncher.Slurm, tasks, Number("SLURM_PROCID") ?? 0, Local("SLURM_LOCALID"));
        return Number("PMI_SIZE") is { } mpich
            ? new(MpiLauncher.Mpich, mpich, Number("PMI_RANK") ?? 0, Local("MPI_LOCALRANKID")) : null;
    }
}
