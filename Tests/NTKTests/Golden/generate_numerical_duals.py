"""Writes numerical_duals.json: duals of functions without a closed form, in 64-bit mantissas (numpy's long double on x86).

With u = a1 x and v = a2 (c x + s y): a composite Gauss-Legendre rule in x and, inside, one in y whose pieces shrink towards every kink of the
function and towards its own scale; the gap behind is the mean of squared differences of the normalized functions, without cancellation.
Takes some minutes: python generate_numerical_duals.py
"""
import json

import numpy as np

L=np.longdouble
def leg(n):
    x=np.polynomial.legendre.leggauss(n)[0].astype(L)
    for _ in range(3):
        p0,p1=np.ones_like(x),x.copy()
        for k in range(1,n): p0,p1=p1,((2*k+1)*x*p1-k*p0)/(k+1)
        dp=n*(x*p1-p0)/(x*x-1); x=x-p1/dp
    return x,2/((1-x*x)*dp*dp)
X,W=leg(20)
X=(X+1)/2;W=W/2
def sig(x):
    e=np.exp(-abs(x)); return np.where(x>=0,1/(1+e),e/(1+e))
def softplus(x): return np.maximum(x,0)+np.log1p(np.exp(-abs(x)))
def mishd(x):
    t=np.tanh(softplus(x)); return t+x*(1-t*t)*sig(x)
def clip(a,b): return (lambda x: np.minimum(np.maximum(x,a),b))
def ind(a,b): return (lambda x: np.where((x>a)&(x<b),L(1),L(0)))
A,Lb=L('1.6732632423543772'),L('1.0507009873554805')
F={
 'tanh':(np.tanh,lambda x:1/np.cosh(np.clip(x,-5000,5000))**2,[0],1),
 'sigmoid':(sig,lambda x:sig(x)*sig(-x),[0],1),
 'softplus':(softplus,sig,[0],1),
 'swish':(lambda x:x*sig(x),lambda x:sig(x)+x*sig(x)*sig(-x),[0],1),
 'mish':(lambda x:x*np.tanh(softplus(x)),mishd,[0],1),
 'elu':(lambda x:np.where(x>0,x,np.expm1(np.minimum(x,0))),lambda x:np.where(x>0,L(1),np.exp(np.minimum(x,0))),[0],1),
 'selu':(lambda x:Lb*np.where(x>0,x,A*np.expm1(np.minimum(x,0))),lambda x:Lb*np.where(x>0,L(1),A*np.exp(np.minimum(x,0))),[0],1),
 'min(max(x,-1),1)':(clip(-1,1),ind(-1,1),[-1,1],1),
 'abs(x-1)':(lambda x:abs(x-1),lambda x:np.sign(x-1),[1],1),
 'max(0,min(1,0.2*x+0.5))':(lambda x:np.maximum(0,np.minimum(1,L(0.2)*x+L(0.5))),lambda x:L(0.2)*ind(-L(0.5)/L(0.2),L(0.5)/L(0.2))(x),[-2.5,2.5],1),
 'min(max(x,0),6)':(clip(0,6),ind(0,6),[0,6],1),
 'max(x-0.3,0)':(lambda x:np.maximum(x-L(0.3),0),lambda x:np.where(x>L(0.3),L(1),L(0)),[0.3],1),
 'sin(10*x)':(lambda x:np.sin(10*x),lambda x:10*np.cos(10*x),[0],0.1),
 'x*exp(-x^2)':(lambda x:x*np.exp(-x*x),lambda x:np.exp(-x*x)*(1-2*x*x),[0],0.5),
 'max(x,0)*tanh(x)':(lambda x:np.maximum(x,0)*np.tanh(x),lambda x:np.where(x>0,np.tanh(x)+x*(1-np.tanh(x)**2),L(0)),[0],1),
 'x/abs(x)+x':(lambda x:np.sign(x)+x,lambda x:np.ones_like(x),[0],1),
 'abs(tanh(x-1))':(lambda x:abs(np.tanh(x-1)),lambda x:np.sign(x-1)*(1-np.tanh(x-1)**2),[1],1),
}
def panels(feats, lo, hi, base):
    pts=[lo,hi]+list(np.arange(lo,hi,base))
    for c,w in feats:
        for k in range(-1,200):
            d=w*2.0**k
            if d>2*base: break
            pts+= [c-d,c+d]
        pts.append(c)
    p=sorted(set(float(x) for x in pts if lo<=x<=hi))
    return np.array(p,dtype=L)
def nodes(p):
    a,b=p[:-1],p[1:]
    return (a[:,None]+(b-a)[:,None]*X[None,:]).ravel(),((b-a)[:,None]*W[None,:]).ravel()
def line(f,q,ks,sc):
    r=np.sqrt(L(q))
    x,w=nodes(panels([(float(L(k)/r),float(L(sc)/r)/4) for k in ks],-12,12,0.5)); w=w*np.exp(-x*x/2)/np.sqrt(2*L(np.pi)) if False else w*np.exp(-x*x/2)/np.sqrt(8*np.arctan(L(1)))
    v=f(r*x); return (w*v*v).sum()
def truth(name,q1,q2,h,far):
    f,g,ks,sc=F[name]; q1,q2,h=L(q1),L(q2),L(h)
    swap=q2>q1
    r1,r2=np.sqrt(max(q1,q2)),np.sqrt(min(q1,q2))
    s=np.sqrt(h*(2-h)); rho=(1-h)*(-1 if far else 1)
    K1,K2=line(f,q1,ks,sc),line(f,q2,ks,sc)
    D1,D2=line(g,q1,ks,sc),line(g,q2,ks,sc)
    Ka,Kb=(K2,K1) if swap else (K1,K2)
    tp=np.sqrt(8*np.arctan(L(1)))
    feats=[(float(L(k)/r1),float(L(sc)/r1)/4) for k in ks]
    if s>0 and rho!=0: feats+=[(float(L(k)/r2/rho),float(s/4)) for k in ks]
    else:
        if rho!=0: feats+=[(float(L(k)/r2/rho),float(L(sc)/r2/4)) for k in ks]
    p=panels(feats,-11.5,11.5,0.5)
    x,w=nodes(p); w=w*np.exp(-x*x/2)/tp
    fx=f(r1*x); gx=g(r1*x)
    if s==0:
        fy=f(r2*rho*x); gy=g(r2*rho*x)
        k=(w*fx*fy).sum(); d=(w*gx*gy).sum(); sg=-1 if far else 1
        gap=(w*(fx/np.sqrt(Ka)-sg*fy/np.sqrt(Kb))**2).sum()/2
        return k,d,gap,K1,K2,D1,D2
    k=d=gap=L(0); 
    sg=-1 if far else 1
    wd=float(L(sc)/(r2*s))/4
    offs=[0]
    kk=-1
    while wd*2.0**kk<2 and kk<300: offs+= [wd*2.0**kk,-wd*2.0**kk]; kk+=1
    base=np.arange(-11.5,11.51,0.5)
    for i0 in range(0,len(x),200):
        xs=x[i0:i0+200]; ws=w[i0:i0+200]
        bp=[np.broadcast_to(np.array(base,dtype=L),(len(xs),len(base)))]
        for t in ks:
            z=(L(t)/r2-rho*xs)/s
            bp.append(np.clip(z[:,None]+np.array(offs,dtype=L)[None,:],-11.5,11.5))
        bp=np.sort(np.concatenate(bp,axis=1),axis=1)
        a,b=bp[:,:-1],bp[:,1:]
        z=a[:,:,None]+(b-a)[:,:,None]*X
        wz=(b-a)[:,:,None]*W*np.exp(-z*z/2)/tp
        v=r2*(rho*xs[:,None,None]+s*z)
        fy=f(v);gy=g(v)
        W2=ws[:,None,None]*wz
        k+=(W2*fx[i0:i0+200,None,None]*fy).sum()
        d+=(W2*gx[i0:i0+200,None,None]*gy).sum()
        gap+=(W2*(fx[i0:i0+200,None,None]/np.sqrt(Ka)-sg*fy/np.sqrt(Kb))**2).sum()/2
    return k,d,gap,K1,K2,D1,D2

PAIRS = [(1, 2, .5, 0), (.3, .3, 1e-5, 0), (2, .7, .2, 1), (1, 1, 1e-12, 0), (1, 1.0000001, 1e-16, 0), (4, 9, .04, 0), (4, 4, 1e-3, 1),
         (1e-20, 1e-8, .3, 0), (1e8, 1e7, .1, 0), (1e8, 1e8, 1e-9, 0), (1e4, 1e-4, .01, 0), (50, 30, .01, 0)]

if __name__ == "__main__":
    cases = []
    for name in F:
        for q1, q2, h, far in PAIRS:
            # Waves that this rule does not resolve.
            if name.startswith("sin") and max(q1, q2) > 20:
                continue
            kappa, dot, gap, own1, own2, dot1, dot2 = truth(name, q1, q2, h, far)
            # Nothing of the function is within reach of the smaller variance.
            if not min(own1, own2) > 0:
                continue
            cases.append({"function": name, "q1": q1, "q2": q2, "gap": h, "far": bool(far), "kappa": float(kappa), "kappa_dot": float(dot),
                          "gap_behind": float(gap), "own1": float(own1), "own2": float(own2), "own_dot1": float(dot1), "own_dot2": float(dot2)})
    with open("numerical_duals.json", "w") as file:
        json.dump({"source": "generate_numerical_duals.py", "cases": cases}, file, indent=0)
