using Forerun.Inference.Weights;

namespace Forerun.Inference.Execution;

/// <summary>Scratch memory of a pass; every row a multiple of 16 floats.</summary>
internal sealed unsafe class PassBuffers : IDisposable
{
    /// <summary>Up to so many rows each worker normalises and prepares all of for itself: that takes no longer than to fetch
    /// what another worker prepared, and nobody waits.</summary>
    public const int MaxOwnRows = 16;

    // A worker's products of a matrix: few enough for its cache, and of at least so many tiles whatever the rows.
    private const int LeastProducts = 1 << 14;
    private const int LeastTiles = 4;

    private readonly List<NativeBuffer> _all = [];
    private readonly int _hiddenSize;
    private readonly float*[] _normed;
    private readonly float*[] _products;
    private readonly int _productCount;
    private readonly byte*[] _own;
    private readonly float* _hidden;

    /// <summary>Allocates everything for up to <paramref name="maxRows"/> rows.</summary>
    public PassBuffers(LanguageModel model, int maxRows, int maxLogitRows)
    {
        var config = model.Config;
        _hiddenSize = config.HiddenSize;
        QuerySize = config.NumAttentionHeads * config.HeadDim;
        KeySize = config.NumKeyValueHeads * config.HeadDim;
        EmbeddingBytes = new byte[model.Weights.EmbeddingRowBytes];
        LogitSize = model.Weights.Head.TileCount * WeightMatrix.TileRows;
        _hidden = Floats((long)maxRows * config.HiddenSize);
        Queries = Floats((long)maxRows * QuerySize);
        Keys = Floats((long)maxRows * KeySize);
        Values = Floats((long)maxRows * KeySize);
        Attended = Floats((long)maxRows * QuerySize);
        Cosines = Floats((long)maxRows * config.HeadDim / 2);
        Sines = Floats((long)maxRows * config.HeadDim / 2);
        Logits = Floats((long)maxLogitRows * LogitSize);
        Activations = Prepared(model, Math.Max(maxRows, maxLogitRows), Math.Max(config.HiddenSize, QuerySize));
        GateActivations = Prepared(model, maxRows, config.IntermediateSize);
        _productCount = Math.Max(LeastProducts, LeastTiles * WeightMatrix.TileRows * maxRows);
        _normed = new float*[model.Workers.Count];
        _products = new float*[model.Workers.Count];
        _own = new byte*[model.Workers.Count];
        for (var i = 0; i < _normed.Length; i++)
        {
            _normed[i] = Floats(config.HiddenSize);
            _products[i] = Floats(2L * _productCount);
            _own[i] = Prepared(model, Math.Min(MaxOwnRows, Math.Max(maxRows, maxLogitRows)), config.HiddenSize);
        }
    }

    /// <summary>Attention heads times head dimension.</summary>
    public int QuerySize { get; }

    /// <summary>KV heads times head dimension.</summary>
    public int KeySize { get; }

    /// <summary>Floats of a logit row: the head's rows, padded to whole tiles.</summary>
    public int LogitSize { get; }

    /// <summary><c>[rows, querySize]</c>.</summary>
    public float* Queries { get; }

    /// <summary><c>[rows, keySize]</c>.</summary>
    public float* Keys { get; }

    /// <summary><c>[rows, keySize]</c>.</summary>
    public float* Values { get; }

    /// <summary>Attention's output, <c>[rows, querySize]</c>.</summary>
    public float* Attended { get; }

    /// <summary><c>[logitRows, logitSize]</c>.</summary>
    public float* Logits { get; }

    /// <summary>Prepared activations of the current step.</summary>
    public byte* Activations { get; }

    /// <summary>Prepared activations of the feed-forward's second half, written while the first still reads its own.
    /// </summary>
    public byte* GateActivations { get; }

    /// <summary>Rotary cosines of the rows' positions, <c>[rows, headDim / 2]</c>.</summary>
    public float* Cosines { get; }

    /// <summary>Rotary sines, same shape.</summary>
    public float* Sines { get; }

    /// <summary>One embedding row as it is in the file.</summary>
    public byte[] EmbeddingBytes { get; }

    /// <summary>Hidden states of a row, <c>[hiddenSize]</c>.</summary>
    public float* HiddenRow(int row) => _hidden + ((long)row * _hiddenSize);

    /// <summary>Logits of a row.</summary>
    public float* LogitRow(int row) => Logits + ((long)row * LogitSize);

    /// <summary>A worker's own row, <c>[hiddenSize]</c>.</summary>
    public float* Normed(int worker) => _normed[worker];

    /// <summary>A worker's own room for the products of two matrices, of up to <see cref="MaxTiles"/> tiles each.</summary>
    public float* Products(int worker) => _products[worker];

    /// <summary>Most tiles whose products with so many rows have room.</summary>
    public int MaxTiles(int rows) => _productCount / (rows * WeightMatrix.TileRows);

    /// <summary>A worker's own prepared activations, up to <see cref="MaxOwnRows"/> rows of <c>[hiddenSize]</c>.</summary>
    public byte* OwnActivations(int worker) => _own[worker];

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var buffer in _all)
        {
            buffer.Dispose();
        }
    }

    private byte* Prepared(LanguageModel model, int rows, int columns) =>
        (byte*)Floats((model.ActivationKernel.ActivationBytes(rows, columns) + 3) / 4);

    private float* Floats(long count)
    {
        var buffer = new NativeBuffer(4 * count);
        _all.Add(buffer);
        return buffer.Floats;
    }
}
