using System.Numerics.Tensors;

namespace Forerun.Training;

/// <summary>KL(target || exit) over the shortlist, and its gradients, for one batch. One caller at a time.</summary>
/// <param name="gemm">Matrix products.</param>
/// <param name="head">The head's rows of the shortlist, times the final norm's weight, <c>[shortlist, hiddenSize]</c>.
/// </param>
/// <param name="batch">Rows of a batch.</param>
/// <param name="rank">Bottleneck size.</param>
/// <param name="hiddenSize">Elements of a hidden state.</param>
/// <param name="epsilon">Of the norms.</param>
internal sealed class AdapterLoss(Gemm gemm, float[] head, int batch, int rank, int hiddenSize, float epsilon)
{
    private readonly int _tokens = head.Length / hiddenSize;
    private readonly float[] _headTransposed = Transposed(head, head.Length / hiddenSize, hiddenSize);
    private readonly float[] _down = new float[batch * rank];
    private readonly float[] _gate = new float[batch * rank];
    private readonly float[] _silu = new float[batch * rank];
    private readonly float[] _inner = new float[batch * rank];
    private readonly float[] _gradientDown = new float[batch * rank];
    private readonly float[] _gradientGate = new float[batch * rank];
    private readonly float[] _gradientInner = new float[batch * rank];
    private readonly float[] _state = new float[batch * hiddenSize];
    private readonly float[] _gradientState = new float[batch * hiddenSize];
    private readonly float[] _scales = new float[batch];
    private readonly float[] _logits = new float[batch * (head.Length / hiddenSize)];
    private readonly float[] _upTransposed = new float[rank * hiddenSize];
    private readonly float[] _innerTransposed = new float[batch * rank];
    private readonly float[] _rankTransposed = new float[batch * rank];
    private readonly float[] _stateTransposed = new float[batch * hiddenSize];
    private readonly float[] _inputTransposed = new float[batch * hiddenSize];

    /// <summary>Rows whose most probable token was the target's, in the last batch.</summary>
    public int Agreed { get; private set; }

    /// <summary>Mean loss of a batch.</summary>
    /// <param name="weights">The adapter.</param>
    /// <param name="input">Normed hidden states, <c>[batch, hiddenSize]</c>.</param>
    /// <param name="target">The target's probabilities, <c>[batch, shortlist]</c>.</param>
    public double Forward(AdapterWeights weights, float[] input, float[] target)
    {
        gemm.Multiply(input, weights.Down, _down, batch, rank, hiddenSize);
        gemm.Multiply(input, weights.Gate, _gate, batch, rank, hiddenSize);
        for (var row = 0; row < batch; row++)
        {
            var gate = _gate.AsSpan(row * rank, rank);
            TensorPrimitives.Add(gate, weights.GateBias, gate);
        }

        TensorPrimitives.Sigmoid(_gate, _silu);
        TensorPrimitives.Multiply(_silu, _gate, _silu);
        TensorPrimitives.Multiply(_silu, _down, _inner);
        gemm.Multiply(_inner, weights.Up, _state, batch, hiddenSize, rank);
        for (var row = 0; row < batch; row++)
        {
            var state = _state.AsSpan(row * hiddenSize, hiddenSize);
            TensorPrimitives.Add(state, input.AsSpan(row * hiddenSize, hiddenSize), state);
            TensorPrimitives.Add(state, weights.Bias, state);
            _scales[row] = 1f / MathF.Sqrt((TensorPrimitives.SumOfSquares<float>(state) / hiddenSize) + epsilon);
            TensorPrimitives.Multiply(state, _scales[row], state);
        }

        gemm.Multiply(_state, head, _logits, batch, _tokens, hiddenSize);
        return Compare(target);
    }

    /// <summary>Gradients of the mean loss of the batch that <see cref="Forward"/> saw last.</summary>
    public void Backward(AdapterWeights weights, float[] input, float[] target, AdapterWeights gradient)
    {
        // Logits hold the exit's probabilities by now.
        TensorPrimitives.Subtract(_logits, target, _logits);
        TensorPrimitives.Multiply(_logits, 1f / batch, _logits);
        gemm.Multiply(_logits, _headTransposed, _gradientState, batch, hiddenSize, _tokens);
        gradient.Bias.AsSpan().Clear();
        for (var row = 0; row < batch; row++)
        {
            var state = _state.AsSpan(row * hiddenSize, hiddenSize);
            var slope = _gradientState.AsSpan(row * hiddenSize, hiddenSize);
            var along = TensorPrimitives.Dot<float>(slope, state) / hiddenSize;
            TensorPrimitives.MultiplyAdd(state, -along, slope, slope);
            TensorPrimitives.Multiply(slope, _scales[row], slope);
            TensorPrimitives.Add(gradient.Bias, slope, gradient.Bias);
        }

        Gemm.Transpose(weights.Up, _upTransposed, hiddenSize, rank);
        gemm.Multiply(_gradientState, _upTransposed, _gradientInner, batch, rank, hiddenSize);
        Gemm.Transpose(_gradientState, _stateTransposed, batch, hiddenSize);
        Gemm.Transpose(_inner, _innerTransposed, batch, rank);
        gemm.Multiply(_stateTransposed, _innerTransposed, gradient.Up, hiddenSize, rank, batch);
        SplitInner();
        Gemm.Transpose(input, _inputTransposed, batch, hiddenSize);
        Gemm.Transpose(_gradientDown, _rankTransposed, batch, rank);
        gemm.Multiply(_rankTransposed, _inputTransposed, gradient.Down, rank, hiddenSize, batch);
        Gemm.Transpose(_gradientGate, _rankTransposed, batch, rank);
        gemm.Multiply(_rankTransposed, _inputTransposed, gradient.Gate, rank, hiddenSize, batch);
        gradient.GateBias.AsSpan().Clear();
        for (var row = 0; row < batch; row++)
        {
            TensorPrimitives.Add(gradient.GateBias, _gradientGate.AsSpan(row * rank, rank), gradient.GateBias);
        }
    }

    /// <summary>inner = silu(gate) * down: what its gradient means for both. silu' = σ + silu · (1 - σ).</summary>
    private void SplitInner()
    {
        for (var i = 0; i < _gradientInner.Length; i++)
        {
            var sigmoid = 1f / (1f + MathF.Exp(-_gate[i]));
            _gradientDown[i] = _gradientInner[i] * _silu[i];
            _gradientGate[i] = _gradientInner[i] * _down[i] * (sigmoid + (_silu[i] * (1f - sigmoid)));
        }
    }

    /// <summary>Turns logits into probabilities and compares them with the target's.</summary>
    private double Compare(float[] target)
    {
        var loss = 0d;
        Agreed = 0;
        for (var row = 0; row < batch; row++)
        {
            var logits = _logits.AsSpan(row * _tokens, _tokens);
            var wanted = target.AsSpan(row * _tokens, _tokens);
            Agreed += TensorPrimitives.IndexOfMax<float>(logits) == TensorPrimitives.IndexOfMax<float>(wanted) ? 1 : 0;
            TensorPrimitives.SoftMax<float>(logits, logits);
            for (var i = 0; i < wanted.Length; i++)
            {
                if (wanted[i] > 1e-7f)
                {
                    loss += wanted[i] * (MathF.Log(wanted[i]) - MathF.Log(MathF.Max(logits[i], 1e-30f)));
                }
            }
        }

        return loss / batch;
    }

    private static float[] Transposed(float[] matrix, int rows, int columns)
    {
        var transposed = new float[matrix.Length];
        Gemm.Transpose(matrix, transposed, rows, columns);
        return transposed;
    }
}
