using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Forerun.Inference.Kernels;

/// <summary>Writes the loops of <see cref="AssembledQueryProduct"/>: as many sums as registers hold share what is read, and halves
/// are widened by the one instruction that x86 has for it, and .NET no class for.</summary>
/// <remarks>The loop is a function of one argument, a pointer to a <see cref="QueryPart"/>. Of the registers that callers
/// expect back it writes only to those that <paramref name="windows"/> wants saved, and saves them.</remarks>
/// <param name="wide">512-bit registers; otherwise 256-bit.</param>
/// <param name="halves">Elements are halves; otherwise floats.</param>
/// <param name="vectors">Vectors of 16 columns, 1, 2 or 4, at most <see cref="MaxVectors"/>.</param>
/// <param name="queries">1 … <see cref="MaxQueries"/>.</param>
/// <param name="windows">The Windows calling convention; otherwise that of System V.</param>
internal sealed class QueryAssembler(bool wide, bool halves, int vectors, int queries, bool windows)
{
    private const int SavedRegisters = 10;

    private static readonly AssemblerRegister64 Part = r11;
    private static readonly AssemblerRegister64 Rows = rcx;
    private static readonly AssemblerRegister64 Weights = rdx;
    private static readonly AssemblerRegister64 End = r10;
    private static readonly AssemblerRegister64 Prefetch = rax;
    private static readonly AssemblerRegister64 Vector = r8;
    private static readonly AssemblerRegister64 ThreeVectors = r9;

    private readonly Assembler _code = new(64);

    /// <summary>Sums, 16 registers of 32 or 12 of 16, leave room for a query's weights and what is read.</summary>
    private readonly int _firstSum = wide ? 16 : 4;

    private readonly int _registersPerVector = wide ? 1 : 2;

    /// <summary>Behind the weights, which take the first registers.</summary>
    private int Element => MaxQueries(wide);

    private int Columns => vectors * _registersPerVector;

    private bool MustSave => windows && !wide;

    /// <summary>Most vectors of 16 columns.</summary>
    public static int MaxVectors(bool wide) => wide ? 4 : 2;

    /// <summary>Most queries.</summary>
    public static int MaxQueries(bool wide) => wide ? 4 : 3;

    /// <summary>Every shape that there is a loop for.</summary>
    public static IEnumerable<(int Vectors, int Queries)> Shapes(bool wide) =>
        from log in Enumerable.Range(0, int.Log2(MaxVectors(wide)) + 1)
        from queries in Enumerable.Range(1, MaxQueries(wide))
        select (1 << log, queries);

    /// <summary>The machine code; it may lie anywhere.</summary>
    public byte[] Assemble()
    {
        _code.mov(Part, windows ? rcx : rdi);
        Save();
        _code.mov(Rows, __qword_ptr[Part + QueryPart.RowsOffset]);
        _code.mov(Weights, __qword_ptr[Part + QueryPart.WeightsOffset]);
        _code.mov(End, __qword_ptr[Part + QueryPart.CountOffset]);
        _code.mov(Prefetch, __qword_ptr[Part + QueryPart.PrefetchOffset]);
        _code.mov(Vector, __qword_ptr[Part + QueryPart.VectorStrideOffset]);
        _code.lea(ThreeVectors, __[Vector + (Vector * 2)]);
        _code.lea(End, __[Weights + (End * 4)]);
        for (var sum = 0; sum < queries * Columns; sum++)
        {
            Clear(_firstSum + sum);
        }

        var (row, store) = (_code.CreateLabel(), _code.CreateLabel());
        _code.cmp(Weights, End);
        _code.jae(store);
        _code.Label(ref row);
        MultiplyRow();
        _code.cmp(Weights, End);
        _code.jb(row);
        _code.Label(ref store);
        Store();
        Restore();
        _code.vzeroupper();
        _code.ret();
        return _code.ToBytes();
    }

    private void MultiplyRow()
    {
        for (var line = 0; line < Math.Max(1, vectors / 2); line++)
        {
            _code.prefetcht0(__byte_ptr[Prefetch + (64 * line)]);
        }

        _code.add(Prefetch, __qword_ptr[Part + QueryPart.PrefetchBytesOffset]);
        for (var query = 0; query < queries; query++)
        {
            Broadcast(query, __dword_ptr[Weights + (4 * query * QueryProduct.WeightStride)]);
        }

        for (var column = 0; column < Columns; column++)
        {
            Load(Elements(column));
            for (var query = 0; query < queries; query++)
            {
                MultiplyAdd(Sum(query, column), query);
            }
        }

        _code.add(Rows, __qword_ptr[Part + QueryPart.RowStrideOffset]);
        _code.add(Weights, 4);
    }

    private void Store()
    {
        _code.mov(Rows, __qword_ptr[Part + QueryPart.OutputOffset]);
        _code.mov(Weights, __qword_ptr[Part + QueryPart.OutputStrideOffset]);
        for (var query = 0; query < queries; query++)
        {
            for (var column = 0; column < Columns; column++)
            {
                Store(Sum(query, column), Rows + (64 / _registersPerVector * column));
            }

            _code.lea(Rows, __[Rows + (Weights * 4)]);
        }
    }

    private int Sum(int query, int column) => _firstSum + (query * Columns) + column;

    /// <summary>Where the elements of a column lie.</summary>
    private AssemblerMemoryOperand Elements(int column)
    {
        var (vector, half) = (column / _registersPerVector, column % _registersPerVector);
        var start = vector switch
        {
            0 => __[Rows],
            1 => __[Rows + Vector],
            2 => __[Rows + (Vector * 2)],
            _ => __[Rows + ThreeVectors],
        };
        return start + ((halves ? 16 : 32) * half);
    }

    /// <summary>Windows expects the lower halves of these back, and nothing below the stack pointer is its caller's.</summary>
    private void Save()
    {
        if (MustSave)
        {
            _code.sub(rsp, 16 * SavedRegisters);
            ForSaved((register, place) => _code.vmovups(__xmmword_ptr[place], register));
        }
    }

    private void Restore()
    {
        if (MustSave)
        {
            ForSaved((register, place) => _code.vmovups(register, __xmmword_ptr[place]));
            _code.add(rsp, 16 * SavedRegisters);
        }
    }

    private static void ForSaved(Action<AssemblerRegisterXMM, AssemblerMemoryOperand> step)
    {
        for (var i = 0; i < SavedRegisters; i++)
        {
            step(new AssemblerRegisterXMM(Register.XMM6 + i), rsp + (16 * i));
        }
    }

    private void Clear(int register)
    {
        if (wide)
        {
            _code.vpxord(Zmm(register), Zmm(register), Zmm(register));
        }
        else
        {
            _code.vxorps(Ymm(register), Ymm(register), Ymm(register));
        }
    }

    private void Broadcast(int register, AssemblerMemoryOperand source)
    {
        if (wide)
        {
            _code.vbroadcastss(Zmm(register), source);
        }
        else
        {
            _code.vbroadcastss(Ymm(register), source);
        }
    }

    private void Load(AssemblerMemoryOperand source)
    {
        switch (wide, halves)
        {
            case (true, true): _code.vcvtph2ps(Zmm(Element), source); break;
            case (true, false): _code.vmovups(Zmm(Element), source); break;
            case (false, true): _code.vcvtph2ps(Ymm(Element), source); break;
            default: _code.vmovups(Ymm(Element), source); break;
        }
    }

    private void MultiplyAdd(int sum, int weight)
    {
        if (wide)
        {
            _code.vfmadd231ps(Zmm(sum), Zmm(Element), Zmm(weight));
        }
        else
        {
            _code.vfmadd231ps(Ymm(sum), Ymm(Element), Ymm(weight));
        }
    }

    private void Store(int register, AssemblerMemoryOperand destination)
    {
        if (wide)
        {
            _code.vmovups(destination, Zmm(register));
        }
        else
        {
            _code.vmovups(destination, Ymm(register));
        }
    }

    private static AssemblerRegisterZMM Zmm(int index) => new(Register.ZMM0 + index);

    private static AssemblerRegisterYMM Ymm(int index) => new(Register.YMM0 + index);
}
