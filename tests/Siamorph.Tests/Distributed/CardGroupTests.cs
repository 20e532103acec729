using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Siamorph.Distributed;
using static TorchSharp.torch;

namespace Siamorph.Tests.Distributed;

/// <summary>
/// Two ranks as threads, with a stand-in for NCCL that adds up tensors of the processor. No graphics card takes part.
/// </summary>
public sealed class CardGroupTests
{
    [Fact]
    public void Sums_GoByNccl_AndAreThoseOfTheProcessors()
    {
        var (nccl, told) = (new FakeNccl(), new ConcurrentQueue<string>());
        Ranks((group, rank) =>
        {
            using var cards = new CardGroup(group, () => nccl, told.Enqueue, _ => true);
            foreach (var type in new[] { ScalarType.Float32, ScalarType.Float16, ScalarType.BFloat16 })
            {
                using var tensor = arange(0, 12, float32).div(7 + rank).reshape(3, 4).t().to(type); // not contiguous
                using var wanted = tensor.clone();
                cards.Sum(tensor);
                group.Sum(wanted);
                Assert.True(tensor.equal(wanted).all().item<bool>());
            }
        });
        Assert.Equal(["Gradients are summed from card to card, by NCCL."], told);
        Assert.Equal(2 * (1 + 3), nccl.Sums); // the first of each rank is the trial
        Assert.Equal(0, nccl.Rings);
    }

    [Theory]
    [InlineData("absent", "NCCL is not there")]
    [InlineData("refusing", "NCCL could not join the cards")]
    [InlineData("wrong", "NCCL's first sum was wrong")]
    [InlineData("failing", "NCCL's first sum was wrong")]
    public void Nccl_ThatOneRankLacks_OrThatIsWrong_IsNotUsed(string fault, string why)
    {
        var (nccl, told) = (new FakeNccl { Fault = fault }, new ConcurrentQueue<string>());
        Ranks((group, rank) =>
        {
            using var cards = new CardGroup(group, () => fault == "absent" && rank == 1 ? null : nccl, told.Enqueue, _ => true);
            for (var i = 0; i < 3; i++)
            {
                using var tensor = full([5], rank + 1f);
                cards.Sum(tensor);
                Assert.Equal([3f, 3, 3, 3, 3], tensor.data<float>().ToArray());
            }
        });
        Assert.Contains($"{why}: gradients are summed through the processors' memory, which is slower and gives the same.", told);
        Assert.Equal(0, nccl.Rings);
    }

    [Fact]
    public void TensorsOfTheProcessor_NeverOpenNccl() => Ranks((group, rank) =>
    {
        using var cards = new CardGroup(group, () => throw new InvalidOperationException("opened"), _ => { });
        using var tensor = full([2], rank + 1f);
        cards.Sum(tensor);
        Assert.Equal([3f, 3f], tensor.data<float>().ToArray());
    });

    // The library's functions as C has them, on one rank: what is passed, by value and by address, and what a fault says.
    [Fact]
    public unsafe void Nccl_IsCalledAsItsHeaderSays()
    {
        Assert.Null(Nccl.Open(name => name == "ncclCommDestroy" ? 0 : Stub.Address(name)));
        var nccl = Nccl.Open(Stub.Address)!;
        var id = nccl.NewId();
        Assert.Equal(Enumerable.Range(0, 128).Select(i => (byte)(255 - i)), id);
        using (var ring = nccl.Join(3, id, 2, card: 1))
        {
            using var tensor = arange(0, 1000, float32);
            ring.Sum(tensor);
            Assert.Equal(Enumerable.Range(0, 1000).Select(i => 3f * i), tensor.data<float>().ToArray());
            using var odd = zeros(7);
            var fault = Assert.Throws<SiamorphException>(() => ring.Sum(odd));
            Assert.StartsWith("NCCL failed: the ring is broken. ", fault.Message, StringComparison.Ordinal);
        }
        Assert.Equal("card 1, join 3 2, back, card 1, sum 1000, back, card 1, sum 7, back, card 1, leave, back",
            string.Join(", ", Stub.Calls));
    }

    private static void Ranks(Action<IProcessGroup, int> work)
    {
        var meeting = new ThreadRank.Meeting();
        var ranks = Enumerable.Range(0, 2).Select(rank => Task.Factory.StartNew(() =>
        {
            using var noGrad = no_grad();
            try
            {
                work(new ThreadRank(meeting, rank), rank);
            }
            catch
            {
                meeting.Break(); // or the other would wait for ever
                throw;
            }
        }, TaskCreationOptions.LongRunning)).ToArray();
        Task.WaitAll(ranks, TestContext.Current.CancellationToken);
    }

    private static Tensor Added(double[][] numbers) =>
        tensor(numbers[0].Zip(numbers[1], (a, b) => (float)a + (float)b).ToArray());

    private sealed class ThreadRank(ThreadRank.Meeting meeting, int rank) : IProcessGroup
    {
        public int Rank => rank;

        public int Size => 2;

        public void Barrier() => meeting.Exchange(rank, []);

        public void Sum(Span<double> values) => Put(values, (a, b) => a + b);

        public void Max(Span<double> values) => Put(values, Math.Max);

        public void Sum(Tensor tensor)
        {
            using var flat = tensor.to(float32).contiguous();
            var all = meeting.Exchange(rank, [.. flat.data<float>().ToArray().Select(f => (double)f)]);
            using var sum = Added(all).reshape(tensor.shape);
            tensor.copy_(sum);
        }

        private void Put(Span<double> values, Func<double, double, double> join)
        {
            var all = meeting.Exchange(rank, values.ToArray());
            for (var i = 0; i < values.Length; i++) values[i] = join(all[0][i], all[1][i]);
        }

        internal sealed class Meeting
        {
            private readonly object _lock = new();
            private double[][] _given = new double[2][], _all = [];
            private int _came, _round;
            private bool _broken;

            public void Break()
            {
                lock (_lock)
                {
                    _broken = true;
                    Monitor.PulseAll(_lock);
                }
            }

            public double[][] Exchange(int rank, double[] mine)
            {
                lock (_lock)
                {
                    (_given[rank], var round) = (mine, _round);
                    if (++_came == 2)
                    {
                        (_all, _given, _came, _round) = (_given, new double[2][], 0, _round + 1);
                        Monitor.PulseAll(_lock);
                    }
                    while (_round == round && !_broken) Monitor.Wait(_lock);
                    return _round != round ? _all : throw new InvalidOperationException("The other rank has failed.");
                }
            }
        }
    }

    private sealed class FakeNccl : INccl
    {
        private readonly ThreadRank.Meeting _meeting = new();
        private int _rings, _sums;

        public string Fault { get; init; } = "";

        public int Rings => _rings;

        public int Sums => _sums;

        public byte[] NewId() => [.. Enumerable.Range(0, 128).Select(i => (byte)(2 * i))];

        public INcclRing Join(int ranks, byte[] id, int rank, int card)
        {
            Assert.Equal(2, ranks);
            Assert.Equal(NewId(), id); // as rank 0 made it
            if (Fault == "refusing" && rank == 1) throw new SiamorphException("NCCL failed: this card is taken.");
            Interlocked.Increment(ref _rings);
            return new Ring(this, rank);
        }

        private sealed class Ring(FakeNccl nccl, int rank) : INcclRing
        {
            public void Sum(Tensor tensor)
            {
                Assert.Equal(ScalarType.Float32, tensor.dtype);
                Assert.True(tensor.is_contiguous());
                Interlocked.Increment(ref nccl._sums);
                if (nccl.Fault == "failing" && rank == 0) throw new SiamorphException("NCCL failed: unhandled error.");
                if (nccl.Fault == "failing") return;
                var all = nccl._meeting.Exchange(rank, [.. tensor.data<float>().ToArray().Select(f => (double)f)]);
                using var sum = Added(all).reshape(tensor.shape);
                tensor.copy_(nccl.Fault == "wrong" ? sum.add_(1e-3f) : sum);
            }

            public void Dispose() => Interlocked.Decrement(ref nccl._rings);
        }
    }

    // Functions of C that note how they are called; a "sum over three ranks" makes every value three times as large.
    private static unsafe class Stub
    {
        public static readonly List<string> Calls = [];
        private static readonly nint Broken = Marshal.StringToCoTaskMemUTF8("the ring is broken");

        public static nint Address(string name) => name switch
        {
            "ncclGetUniqueId" => (nint)(delegate* unmanaged[Cdecl]<byte*, int>)&NewId,
            "ncclCommInitRank" => (nint)(delegate* unmanaged[Cdecl]<nint*, int, Id, int, int>)&Join,
            "ncclAllReduce" => (nint)(delegate* unmanaged[Cdecl]<float*, float*, nuint, int, int, nint, nint, int>)&Sum,
            "ncclCommDestroy" => (nint)(delegate* unmanaged[Cdecl]<nint, int>)&Leave,
            "ncclGetErrorString" => (nint)(delegate* unmanaged[Cdecl]<int, nint>)&Message,
            "aoti_torch_create_cuda_guard" => (nint)(delegate* unmanaged[Cdecl]<int, nint*, int>)&Choose,
            "aoti_torch_delete_cuda_guard" => (nint)(delegate* unmanaged[Cdecl]<nint, int>)&GoBack,
            _ => 0,
        };

        [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
        private static int NewId(byte* id)
        {
            for (var i = 0; i < 128; i++) id[i] = (byte)(255 - i);
            return 0;
        }

        [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
        private static int Join(nint* ring, int ranks, Id id, int rank)
        {
            for (var i = 0; i < 128; i++) if (id.Bytes[i] != 255 - i) return 4;
            Calls.Add($"join {ranks} {rank}");
            *ring = 77;
            return 0;
        }

        [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
        private static int Sum(float* from, float* to, nuint count, int type, int operation, nint ring, nint stream)
        {
            Calls.Add($"sum {count}");
            if ((type, operation, ring, stream) != (7, 0, 77, 0) || count < 10) return 5;
            for (nuint i = 0; i < count; i++) to[i] = 3 * from[i];
            return 0;
        }

        [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
        private static int Leave(nint ring)
        {
            Calls.Add("leave");
            return ring == 77 ? 0 : 4;
        }

        [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
        private static nint Message(int code) => code == 5 ? Broken : 0;

        [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
        private static int Choose(int card, nint* former)
        {
            Calls.Add($"card {card}");
            *former = 5;
            return 0;
        }

        [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
        private static int GoBack(nint former)
        {
            Calls.Add("back");
            return former == 5 ? 0 : 1;
        }

        private struct Id
        {
            public fixed byte Bytes[128];
        }
    }
}
