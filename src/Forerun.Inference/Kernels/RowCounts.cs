namespace Forerun.Inference.Kernels;

/// <summary>How many activation rows a kernel call serves; known to the compiler.</summary>
internal interface IRowCount
{
    static abstract int Count { get; }
}

/// <summary>1 rows.</summary>
internal readonly struct Rows1 : IRowCount
{
    public static int Count => 1;
}

/// <summary>2 rows.</summary>
internal readonly struct Rows2 : IRowCount
{
    public static int Count => 2;
}

/// <summary>3 rows.</summary>
internal readonly struct Rows3 : IRowCount
{
    public static int Count => 3;
}

/// <summary>4 rows.</summary>
internal readonly struct Rows4 : IRowCount
{
    public static int Count => 4;
}

/// <summary>5 rows.</summary>
internal readonly struct Rows5 : IRowCount
{
    public static int Count => 5;
}

/// <summary>6 rows.</summary>
internal readonly struct Rows6 : IRowCount
{
    public static int Count => 6;
}

/// <summary>7 rows.</summary>
internal readonly struct Rows7 : IRowCount
{
    public static int Count => 7;
}

/// <summary>8 rows.</summary>
internal readonly struct Rows8 : IRowCount
{
    public static int Count => 8;
}
