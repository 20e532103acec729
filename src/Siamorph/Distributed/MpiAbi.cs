using System.Runtime.InteropServices;

namespace Siamorph.Distributed;

/// <summary>
/// What a library of MPI calls its constants. Handles are pointers in Open MPI, numbers in MPICH and its relatives (Intel MPI
/// among them), and numbers of the standard's own in libraries with the binary interface of MPI 5. All fit a machine word.
/// </summary>
internal sealed record MpiAbi(string Library, nint World, nint Float, nint Double, nint Sum, nint Max, nint InPlace, int Funneled)
{
    private static readonly string[] OpenMpiNames = ["libmpi.so.40", "libmpi.so.80"];
    private static readonly string[] MpichNames = ["libmpi.so.12", "libmpich.so.12"];
    private static readonly string[] StandardNames = ["libmpi_abi.so.0", "libmpi_abi.so"];

    /// <summary>Opens the library that belongs to a launcher.</summary>
    /// <param name="launcher">Which kind of launcher started this process.</param>
    /// <param name="open">Opens a library by name; 0 where there is none.</param>
    /// <param name="handle">Of the library.</param>
    /// <returns>Null where none of them is installed.</returns>
    public static MpiAbi? Open(MpiLauncher launcher, Func<string, nint> open, out nint handle)
    {
        var first = launcher == MpiLauncher.Mpich ? MpichNames : OpenMpiNames;
        var second = launcher switch { MpiLauncher.Slurm => MpichNames, _ => [] };
        foreach (var name in first.Concat(second).Concat(StandardNames))
        {
            handle = open(name);
            if (handle != 0) return Of(name, handle);
        }
        handle = 0;
        return null;
    }

    private static MpiAbi Of(string name, nint library)
    {
        nint Symbol(string symbol) => NativeLibrary.GetExport(library, symbol);
        if (StandardNames.Contains(name)) return new(name, 0x101, 210, 214, 0x21, 0x23, 1, 1024);
        return MpichNames.Contains(name)
            ? new(name, 0x44000000, 0x4c00040a, 0x4c00080b, 0x58000003, 0x58000001, -1, 1)
            : new(name, Symbol("ompi_mpi_comm_world"), Symbol("ompi_mpi_float"), Symbol("ompi_mpi_double"),
            Symbol("ompi_mpi_op_sum"), Symbol("ompi_mpi_op_max"), 1, 1);
    }
}

/// <summary>What started this process as one of several.</summary>
internal enum MpiLauncher
{
    /// <summary>mpirun of Open MPI.</summary>
    OpenMpi,

    /// <summary>mpirun of MPICH, Intel MPI and other relatives.</summary>
    Mpich,

    /// <summary>srun.</summary>
    Slurm,
}
